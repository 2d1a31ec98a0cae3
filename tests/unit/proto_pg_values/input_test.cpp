// tests/unit/proto_pg_values/input_test.cpp: parameters of clients into what SQLite stores.
#include <gtest/gtest.h>

#include "proto/pg/numeric.hpp"
#include "proto/pg/values.hpp"
#include "unit/proto_pg/wire.hpp"

namespace sluice::pg {
namespace {

using test::for_every_prefix;
using test::wire;

bound_value read(bytes_view sent, type_oid type, value_format format)
{
    bound_value out;
    const auto done = read_value(sent, type, format, out);
    if (done != conversion::ok)
        return "error " + std::string(sqlstate_of(done, format));
    return out;
}
bound_value from_text(std::string_view sent, type_oid type)
{
    return read(as_bytes(sent), type, value_format::text);
}
bound_value from_binary(std::string_view notation, type_oid type)
{
    return read(wire(notation), type, value_format::binary);
}

const bound_value one = std::int64_t{1};

TEST(PgInput, Texts)
{
    EXPECT_EQ(from_text("1", oid::int4), one);
    EXPECT_EQ(from_text("t", oid::boolean), one);
    EXPECT_EQ(from_text("1", oid::text), bound_value("1"));
    EXPECT_EQ(from_text("1", oid::unspecified), bound_value("1"));
    EXPECT_EQ(from_text("1.5", oid::float8), bound_value(1.5));
    EXPECT_EQ(from_text("abc", oid::int8), bound_value("error 22P02"));
    EXPECT_EQ(from_text("3000000000", oid::int4), bound_value("error 22003"));
    EXPECT_EQ(from_text("\\x4100", oid::bytea),
              bound_value(std::vector<std::byte>{std::byte{0x41}, std::byte{0}}));
    EXPECT_EQ(from_text("a\\000", oid::bytea),
              bound_value(std::vector<std::byte>{std::byte{'a'}, std::byte{0}}));
    EXPECT_EQ(from_text("\\x4", oid::bytea), bound_value("error 22P02"));
    EXPECT_EQ(from_text("2024-01-01 10:00:00+02", oid::timestamptz),
              bound_value("2024-01-01 08:00:00"));
    EXPECT_EQ(from_text("2024-01-01T10:00", oid::timestamp), bound_value("2024-01-01 10:00:00"));
    EXPECT_EQ(from_text("2024-13-01", oid::date), bound_value("error 22007"));
    EXPECT_EQ(from_text("\xff", oid::text), bound_value("error 22021"));
}

TEST(PgInput, Binaries)
{
    EXPECT_EQ(from_binary("0001", oid::int2), one);
    EXPECT_EQ(from_binary("00000001", oid::int4), one);
    EXPECT_EQ(from_binary("0000000000000001", oid::int8), one);
    EXPECT_EQ(from_binary("ffffffff", oid::int4), bound_value(std::int64_t{-1}));
    EXPECT_EQ(from_binary("ffffffff", oid::oid), bound_value(std::int64_t{4294967295}));
    EXPECT_EQ(from_binary("01", oid::boolean), one);
    EXPECT_EQ(from_binary("3ff8000000000000", oid::float8), bound_value(1.5));
    EXPECT_EQ(from_binary("3fc00000", oid::float4), bound_value(1.5));
    EXPECT_EQ(from_binary("'abc'", oid::text), bound_value("abc"));
    EXPECT_EQ(from_binary("01 '{}'", oid::jsonb), bound_value("{}"));
    EXPECT_EQ(from_binary("02 '{}'", oid::jsonb), bound_value("error 22P03"));
    EXPECT_EQ(from_binary("00000000000f4240", oid::timestamp), bound_value("2000-01-01 00:00:01"));
    EXPECT_EQ(from_binary("00000001", oid::date), bound_value("2000-01-02"));
    EXPECT_EQ(from_binary("00000000000f4240", oid::time), bound_value("00:00:01"));
    EXPECT_EQ(from_binary("7fffffffffffffff", oid::timestamp), bound_value("infinity"));
    EXPECT_EQ(from_binary("7ffffffffffffff0", oid::timestamp), bound_value("error 22003"));
    EXPECT_EQ(from_binary("00", oid::int4), bound_value("error 22P03"));
    EXPECT_EQ(from_binary("00000000", 1007), bound_value("error 22P03"));
}

TEST(PgInput, CutShortIsRefused)
{
    for (const auto type : {oid::int2,
                            oid::int4,
                            oid::int8,
                            oid::float4,
                            oid::float8,
                            oid::date,
                            oid::timestamp,
                            oid::time,
                            oid::uuid})
        EXPECT_EQ(from_binary("00", type), bound_value("error 22P03")) << type;
    // -12.34: two groups, weight 0, negative, scale 2
    for_every_prefix(wire("0002 0000 4000 0002 000c 0d48"), [](bytes_view part) {
        bound_value out;
        EXPECT_NE(read_value(part, oid::numeric, value_format::binary, out), conversion::ok);
    });
}

TEST(PgInput, DecimalsBecomeTheNumberThatTheyAre)
{
    EXPECT_EQ(from_text("12.30", oid::numeric), bound_value(12.3));
    EXPECT_EQ(from_text("5.000", oid::numeric), bound_value(std::int64_t{5}));
    EXPECT_EQ(from_text("1e3", oid::numeric), bound_value(std::int64_t{1000}));
    EXPECT_EQ(from_text("0.1000000000000000055511151231257827", oid::numeric),
              bound_value("0.1000000000000000055511151231257827"));
    EXPECT_EQ(from_text("NaN", oid::numeric), bound_value("NaN"));
    EXPECT_EQ(from_text("1e200001", oid::numeric), bound_value("error 22P02"));
    EXPECT_EQ(from_binary("0002 0000 4000 0002 000c 0d48", oid::numeric), bound_value(-12.34));
    EXPECT_EQ(from_binary("0001 0000 0000 0000 2710", oid::numeric), bound_value("error 22P03"));
}

TEST(PgNumeric, BinaryRoundTrip)
{
    for (const std::string_view number : {"0",
                                          "1",
                                          "-1",
                                          "9999",
                                          "10000",
                                          "12345678.00012",
                                          "0.0001",
                                          "0.00001",
                                          "-0.5",
                                          "1000000",
                                          "123456789012345678901234567890.123456789",
                                          "0.00",
                                          "10.10",
                                          "NaN",
                                          "Infinity",
                                          "-Infinity"}) {
        byte_queue out;
        ASSERT_TRUE(append_numeric_binary(out, number)) << number;
        const auto again = numeric_from_binary(out.readable());
        ASSERT_TRUE(again) << number;
        EXPECT_EQ(*again, number);
    }
}

TEST(PgNumeric, BinaryAsPostgreSQLHasIt)
{
    byte_queue out;
    ASSERT_TRUE(append_numeric_binary(out, "-12.34"));
    EXPECT_EQ(as_text(out.readable()), wire("0002 0000 4000 0002 000c 0d48").text());
    out.clear();
    ASSERT_TRUE(append_numeric_binary(out, "0.00012"));
    EXPECT_EQ(as_text(out.readable()), wire("0002 ffff 0000 0005 0001 07d0").text());
    out.clear();
    EXPECT_FALSE(append_numeric_binary(out, "1.2.3"));
    out.clear();
    ASSERT_TRUE(append_numeric_text(out, "12.5", 2) && append_numeric_text(out, " 7", 1) &&
                append_numeric_text(out, "0.125", 2) && append_numeric_text(out, "NaN", 2));
    EXPECT_EQ(as_text(out.readable()), "12.507.00.125NaN");
    out.clear();
    EXPECT_FALSE(append_numeric_binary(out, "."));
    EXPECT_FALSE(append_numeric_binary(out, "1e"));
    EXPECT_FALSE(append_numeric_binary(out, ""));
    EXPECT_FALSE(append_numeric_binary(out, "0x10"));
}

}  // namespace
}  // namespace sluice::pg
