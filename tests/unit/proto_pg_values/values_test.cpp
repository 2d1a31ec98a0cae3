// tests/unit/proto_pg_values/values_test.cpp: values out of SQLite in text and binary, and
// refusals.
#include "proto/pg/declared_type.hpp"
#include "proto/pg/values.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "unit/proto_pg/wire.hpp"

namespace sluice::pg {
namespace {

using test::wire;

std::string text_of(const stored_value& value, type_oid type)
{
    byte_queue out;
    const auto done = append_value(out, value, type, value_format::text);
    return done == conversion::ok ? std::string(as_text(out.readable()))
                                  : "error " + std::string(sqlstate_of(done, value_format::text));
}

std::string binary_of(const stored_value& value, type_oid type)
{
    byte_queue out;
    const auto done = append_value(out, value, type, value_format::binary);
    return done == conversion::ok ? std::string(as_text(out.readable())) : "error";
}

stored_value text(std::string_view t)
{
    return t;
}

TEST(PgValues, Integers)
{
    EXPECT_EQ(text_of(std::int64_t{-7}, oid::int8), "-7");
    EXPECT_EQ(binary_of(std::int64_t{-2}, oid::int2), wire("fffe").text());
    EXPECT_EQ(binary_of(std::int64_t{258}, oid::int4), wire("00000102").text());
    EXPECT_EQ(binary_of(std::int64_t{1}, oid::int8), wire("0000000000000001").text());
    EXPECT_EQ(text_of(2.0, oid::int8), "2");
    EXPECT_EQ(text_of(text(" 42 "), oid::int8), "42");
    EXPECT_EQ(text_of(2.5, oid::int8), "error 22P02");
    EXPECT_EQ(text_of(1e300, oid::int8), "error 22003");
    EXPECT_EQ(text_of(text("abc"), oid::int8), "error 22P02");
    EXPECT_EQ(text_of(text(""), oid::int8), "error 22P02");
    EXPECT_EQ(text_of(std::int64_t{40000}, oid::int2), "error 22003");
    EXPECT_EQ(text_of(std::int64_t{-1}, oid::oid), "error 22003");
    EXPECT_EQ(binary_of(std::int64_t{4000000000}, oid::oid), wire("ee6b2800").text());
}

TEST(PgValues, Booleans)
{
    EXPECT_EQ(text_of(std::int64_t{1}, oid::boolean), "t");
    EXPECT_EQ(text_of(text("False"), oid::boolean), "f");
    EXPECT_EQ(binary_of(text("yes"), oid::boolean), wire("01").text());
    EXPECT_EQ(binary_of(std::int64_t{0}, oid::boolean), wire("00").text());
    EXPECT_EQ(text_of(std::int64_t{2}, oid::boolean), "error 22P02");
    EXPECT_EQ(text_of(text("o"), oid::boolean), "error 22P02");
    EXPECT_EQ(text_of(text("maybe"), oid::boolean), "error 22P02");
}

TEST(PgValues, FloatsRoundTrip)
{
    EXPECT_EQ(text_of(0.1, oid::float8), "0.1");
    EXPECT_EQ(text_of(1.0, oid::float8), "1");
    EXPECT_EQ(text_of(-0.0, oid::float8), "-0");
    EXPECT_EQ(text_of(1e15, oid::float8), "1e+15");
    EXPECT_EQ(text_of(123456789012345.0, oid::float8), "123456789012345");
    EXPECT_EQ(text_of(1e-5, oid::float8), "1e-05");
    EXPECT_EQ(text_of(0.0001, oid::float8), "0.0001");
    EXPECT_EQ(text_of(std::numeric_limits<double>::infinity(), oid::float8), "Infinity");
    EXPECT_EQ(text_of(text("nan"), oid::float8), "NaN");
    EXPECT_EQ(text_of(std::int64_t{3}, oid::float8), "3");
    EXPECT_EQ(text_of(0.1, oid::float4), "0.1");
    EXPECT_EQ(text_of(1e300, oid::float4), "error 22003");
    EXPECT_EQ(text_of(text("1.5x"), oid::float8), "error 22P02");
    EXPECT_EQ(binary_of(1.5, oid::float8), wire("3ff8000000000000").text());
    EXPECT_EQ(binary_of(1.5, oid::float4), wire("3fc00000").text());
}

TEST(PgValues, Texts)
{
    EXPECT_EQ(text_of(text("héllo"), oid::text), "héllo");
    EXPECT_EQ(text_of(std::int64_t{5}, oid::varchar), "5");
    EXPECT_EQ(text_of(1.0, oid::text), "1.0");
    EXPECT_EQ(text_of(0.5, oid::text), "0.5");
    EXPECT_EQ(text_of(text(std::string_view("a\0b", 3)), oid::text), "error 22021");
    EXPECT_EQ(text_of(text("\xff"), oid::text), "error 22021");
    EXPECT_EQ(text_of(text("\xed\xa0\x80"), oid::text), "error 22021");
    EXPECT_EQ(text_of(text("\xc0\x80"), oid::text), "error 22021");
    EXPECT_EQ(text_of(bytes_view(as_bytes("x")), oid::text), "error 22P02");
    EXPECT_EQ(binary_of(text("{}"), oid::jsonb), wire("01 '{}'").text());
    EXPECT_EQ(binary_of(text("{}"), oid::json), "{}");
}

TEST(PgValues, Bytea)
{
    const auto bytes = wire("00ff41");
    EXPECT_EQ(text_of(bytes_view(bytes), oid::bytea), "\\x00ff41");
    EXPECT_EQ(binary_of(bytes_view(bytes), oid::bytea), bytes.text());
    EXPECT_EQ(text_of(text("AB"), oid::bytea), "\\x4142");
    EXPECT_EQ(text_of(std::int64_t{1}, oid::bytea), "error 22P02");
}

TEST(PgValues, DatesAndTimes)
{
    EXPECT_EQ(text_of(text("2024-02-29"), oid::date), "2024-02-29");
    EXPECT_EQ(text_of(text("2024-02-29 00:00:00"), oid::date), "2024-02-29");
    EXPECT_EQ(text_of(text("2023-02-29"), oid::date), "error 22007");
    EXPECT_EQ(text_of(text("2024-02-29 10:00"), oid::date), "error 22007");
    EXPECT_EQ(binary_of(text("2000-01-02"), oid::date), wire("00000001").text());
    EXPECT_EQ(binary_of(text("1999-12-31"), oid::date), wire("ffffffff").text());
    EXPECT_EQ(text_of(text("23:59"), oid::time), "23:59:00");
    EXPECT_EQ(text_of(text("25:00"), oid::time), "error 22007");
    EXPECT_EQ(text_of(text("2024-01-01T10:20:30.5Z"), oid::timestamp), "2024-01-01 10:20:30.5");
    EXPECT_EQ(text_of(text("2024-01-01 10:20:30+02:00"), oid::timestamptz),
              "2024-01-01 08:20:30+00");
    EXPECT_EQ(text_of(text("2024-01-01 10:20:30.1234567"), oid::timestamp),
              "2024-01-01 10:20:30.123457");
    EXPECT_EQ(text_of(text("1969-12-31 23:59:59.999999"), oid::timestamp),
              "1969-12-31 23:59:59.999999");
    EXPECT_EQ(binary_of(text("2000-01-01 00:00:01"), oid::timestamp),
              wire("00000000000f4240").text());
    EXPECT_EQ(text_of(text("infinity"), oid::timestamp), "infinity");
    EXPECT_EQ(text_of(std::int64_t{1700000000}, oid::timestamp), "error 22007");
    EXPECT_EQ(text_of(text("today"), oid::timestamp), "error 22007");
}

TEST(PgValues, Uuids)
{
    constexpr std::string_view id = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
    EXPECT_EQ(text_of(text("A0EEBC999C0B4EF8BB6D6BB9BD380A11"), oid::uuid), id);
    EXPECT_EQ(text_of(text("{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}"), oid::uuid), id);
    EXPECT_EQ(binary_of(text(id), oid::uuid), wire("a0eebc999c0b4ef8bb6d6bb9bd380a11").text());
    EXPECT_EQ(text_of(text("a0eebc99"), oid::uuid), "error 22P02");
}

TEST(PgValues, UnknownTypesAreTextOnly)
{
    EXPECT_EQ(text_of(text("x"), 4711), "x");
    EXPECT_EQ(binary_of(text("x"), 4711), "error");
}

TEST(PgValues, NamesOfTypes)
{
    EXPECT_EQ(type_of_name("VARCHAR(20)"), oid::varchar);
    EXPECT_EQ(type_of_name("Timestamp With  Time Zone"), oid::timestamptz);
    EXPECT_EQ(type_of_name("timestamp(3) with time zone"), oid::timestamptz);
    EXPECT_EQ(type_of_name("NUMERIC(10, 2)"), oid::numeric);
    EXPECT_EQ(type_of_name("pg_catalog.int8"), oid::int8);
    EXPECT_EQ(type_of_name("whatever"), oid::unspecified);
}

TEST(DeclaredType, NamesThatHoldAnotherTypesName)
{
    EXPECT_EQ(type_of_declaration("INTERVAL DAY TO SECOND"), oid::text);
    EXPECT_EQ(type_of_declaration("interval"), oid::text);
    EXPECT_EQ(type_of_declaration("UNSIGNED BIG INT"), oid::int8);
}

}  // namespace
}  // namespace sluice::pg
