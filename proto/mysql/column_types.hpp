// proto/mysql/column_types.hpp: a column's declared type, in MySQL's or SQLite's words, as MySQL's
// type on the wire and in its catalogs.
//
//   declared                     on the wire                   in catalogs
//   INTEGER, BIGINT              LONGLONG                      bigint(20)
//   INT(11) UNSIGNED             LONGLONG, unsigned            int(11) unsigned
//   TINYINT(1), BOOL             TINY                          tinyint(1)
//   REAL, DOUBLE PRECISION       DOUBLE                        double
//   DECIMAL(10,2)                NEWDECIMAL                    decimal(10,2)
//   VARCHAR(20), TEXT            VAR_STRING                    varchar(20), text
//   BLOB, VARBINARY(8)           BLOB                          blob, varbinary(8)
//   DATE, DATETIME(6), TIME ...  DATE, DATETIME, TIME          date, datetime(6), time
//   none, unknown                nothing: the values decide    by SQLite's affinity
//
// Every integer but TINYINT(1) is sent with 64 bits: SQLite stores that much in any of them.
//
// Layer: proto. Pure.
#pragma once

#include <string>
#include <string_view>

#include "proto/mysql/values.hpp"

namespace sluice::mysql {

enum class type_class : std::uint8_t {
    unknown,
    integer,
    floating,
    decimal,
    characters,
    bytes,
    date,
    time,  // of a day, or with a date
    json,
};

struct declared_type {
    type_class kind = type_class::unknown;
    value_shape shape;            // valid unless unknown
    std::string name;             // DATA_TYPE: "varchar"
    std::string full;             // COLUMN_TYPE: "varchar(20)"
    std::uint32_t precision = 0;  // digits of numbers, characters or bytes of strings
    std::uint32_t scale = 0;      // of decimals
    bool has_precision = false;
};

declared_type read_declared_type(std::string_view declared);

// Only what the wire needs; false: unknown.
bool shape_of_declaration(std::string_view declared, value_shape& out);

}  // namespace sluice::mysql
