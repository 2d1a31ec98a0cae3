// proto/sql/to_sqlite.hpp: a PostgreSQL client's statement in words that SQLite's parser takes.
//
// Layer: proto. Surface only: parameters, casts, literals, type names, key words without
// counterpart. What it does not know passes unchanged, so SQLite's own dialect passes, too (but see
// `user`).
//
//   $1                              ?1
//   $1::int, CAST($1 AS int)        ?1, CAST(?1 AS INTEGER), and parameter 1 is an int4
//   expr::text                      CAST(expr AS TEXT); dates, json, uuid, reg*, arrays: the cast
//                                   is dropped; 't'::bool, '\xff'::bytea become TRUE, x'ff'
//   E'a\n' U&'..' $$a$$ 'a' / 'b'   '...'
//   date '2020-01-01'               '2020-01-01'
//   pg_catalog.f(                   f(
//   public.t                        t
//   current_user, session_user ...  current_user(), ...; `user` only in a SELECT without FROM
//   ILIKE ~~ ~ !~ ~* OPERATOR(x)    LIKE, REGEXP, NOT REGEXP, REGEXP '(?i)' ||
//   COLLATE pg_catalog.default      dropped
//   FOR UPDATE ... at any depth     dropped
//   LIMIT ALL, OFFSET n alone       LIMIT -1 [OFFSET n]
//   INSERT ... FROM t ON CONFLICT   ... FROM t WHERE true ON CONFLICT
//   CREATE TABLE: SERIAL, IDENTITY  INTEGER; timestamp with time zone -> TIMESTAMPTZ,
//                                   double precision -> DOUBLE, character varying(n) -> VARCHAR(n);
//                                   DEFAULT f() -> DEFAULT (f()); arrays lose their brackets
//   CREATE INDEX                    without CONCURRENTLY, USING method and operator classes
//   DROP ... CASCADE | RESTRICT     without
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::sql {

struct sqlite_statement {
    struct typed_parameter {
        std::uint32_t number;  // from 1
        // PostgreSQL's internal name in lower case (int4, int8, float8, bool, varchar, timestamptz,
        // text[], ...); of other types as written.
        std::string type;
    };
    // From `sqlite` on, the text is the client's from `client` on.
    struct piece {
        std::size_t sqlite;
        std::size_t client;
    };

    std::string text;
    std::uint32_t parameter_count = 0;   // the highest n of $n; never more than 65535
    std::vector<typed_parameter> types;  // of parameters that a cast types, the first wins; sorted
    std::vector<piece> pieces;
    std::size_t client_size = 0;

    // Empty: no cast says.
    std::string_view parameter_type(std::uint32_t number) const noexcept;
    // A byte offset in `text` (sqlite3_error_offset) as one in the client's statement.
    std::size_t client_offset(std::size_t sqlite_offset) const noexcept;
};

// One statement, see next_statement().
sqlite_statement to_sqlite(std::string_view statement);

}  // namespace sluice::sql
