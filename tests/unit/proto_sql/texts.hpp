// tests/unit/proto_sql/texts.hpp: tokens as text, and nasty statements that every reader of SQL
// gets.
#pragma once

#include <cstddef>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "proto/sql/lexer.hpp"

namespace sluice::test {

// Each prefix, and the whole, in a heap block of its exact size, so that ASan sees a read past it.
inline void for_every_prefix(std::string_view whole,
                             const std::function<void(std::string_view)>& check)
{
    for (std::size_t size = 0; size <= whole.size(); ++size) {
        const auto block = std::make_unique<char[]>(size);
        if (size > 0)
            std::memcpy(block.get(), whole.data(), size);
        check(std::string_view(block.get(), size));
    }
}

inline constexpr std::string_view nasty_texts[] = {
    "SELECT 'it''s', E'a\\'b\\\\', U&'d\\0061t\\+000061', B'01', X'ff', N'n' FROM \"we\"\"ird\" t",
    "SELECT $tag$ $1 ; $other$ 'x $tag$, $$;$$, $1::int4[], a::\"T\" /* a /* b; */ c */ -- $2 "
    "'x\n+1",
    "select E'a\\\n' -- comment\n 'b\\'' , 'x'\n'y', 1..2, .5e-3, 1e, 0xfg, a<>-1, b||-c, @@x, $",
    "SET \"a\"\"b\".c = 'x', y; SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY; RESET ALL",
    "BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY, NOT DEFERRABLE; ROLLBACK TO SAVEPOINT \"s\"",
    "SELECT set_config('a.b', $1, false), pg_advisory_lock(1) INTO LOCAL TEMP TABLE x FOR UPDATE",
    "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN 1=1 THEN 2 END; SELECT 3; END; "
    "X",
    "DO LANGUAGE plpgsql $$ BEGIN CREATE TEMP TABLE x(); PERFORM pg_advisory_lock(1); END $$",
    "CREATE TABLE t (id bigserial PRIMARY KEY, a timestamp(3) with time zone, b double precision, "
    "c character varying(10), d int GENERATED ALWAYS AS IDENTITY (START 1) PRIMARY KEY)",
    "SELECT CAST($1 AS int), ($2)::text, f(x)::numeric(3,2), pg_catalog.version(), current_user "
    "LIMIT "
    "ALL FOR NO KEY UPDATE OF t SKIP LOCKED; INSERT INTO t VALUES ($12::uuid)",
    "\xc3\xa4 \xff '\xe2\x82\xac'::text ILIKE \"\xc3\xb6\" \\ ` [x] ?1 ?",
};

}  // namespace sluice::test
