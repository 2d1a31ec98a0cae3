// tests/unit/proto_mysql_values/values_test.cpp: MySQL's values out of and into SQLite's classes.
#include "proto/mysql/values.hpp"

#include <gtest/gtest.h>

#include <bit>

#include "proto/mysql/column_types.hpp"

namespace sluice::mysql {
namespace {

std::string hex(bytes_view bytes)
{
    static constexpr char digits[] = "0123456789abcdef";
    std::string out;
    for (const auto b : bytes) {
        out += digits[std::to_integer<unsigned>(b) >> 4];
        out += digits[std::to_integer<unsigned>(b) & 15];
    }
    return out;
}

std::vector<std::byte> bytes_of(std::string_view hex_digits)
{
    std::vector<std::byte> out;
    for (std::size_t i = 0; i + 1 < hex_digits.size(); i += 2)
        out.push_back(
            static_cast<std::byte>(std::stoi(std::string(hex_digits.substr(i, 2)), nullptr, 16)));
    return out;
}

value_shape shape(std::string_view declared)
{
    value_shape out;
    EXPECT_TRUE(shape_of_declaration(declared, out)) << declared;
    return out;
}

std::string error_name(conversion failed)
{
    switch (failed) {
        case conversion::not_of_type:
            return "not_of_type";
        case conversion::out_of_range:
            return "out_of_range";
        case conversion::not_a_time:
            return "not_a_time";
        case conversion::not_utf8:
            return "not_utf8";
        default:
            return "other";
    }
}

// Without its length byte.
std::string text(const stored_value& value, std::string_view declared)
{
    byte_queue out;
    const auto failed = append_value(out, value, shape(declared), row_format::text);
    if (failed != conversion::ok)
        return error_name(failed);
    return std::string(as_text(out.readable().subspan(1)));
}

std::string binary(const stored_value& value, std::string_view declared)
{
    byte_queue out;
    const auto failed = append_value(out, value, shape(declared), row_format::binary);
    return failed == conversion::ok ? hex(out.readable()) : error_name(failed);
}

stored_value t(std::string_view s)
{
    return s;
}
stored_value i(std::int64_t n)
{
    return n;
}
stored_value d(double n)
{
    return n;
}

TEST(MySqlValues, Integers)
{
    EXPECT_EQ(text(i(-5), "INTEGER"), "-5");
    EXPECT_EQ(text(i(INT64_MIN), "BIGINT"), "-9223372036854775808");
    EXPECT_EQ(text(d(7.0), "INT"), "7");
    EXPECT_EQ(text(t("42"), "INT"), "42");
    EXPECT_EQ(text(t("abc"), "INT"), "not_of_type");
    EXPECT_EQ(text(d(1.5), "INT"), "not_of_type");
    EXPECT_EQ(text(d(1e30), "INT"), "out_of_range");
    EXPECT_EQ(text(i(-1), "INT UNSIGNED"), "out_of_range");
    EXPECT_EQ(binary(i(-2), "INTEGER"), "feffffffffffffff");
    EXPECT_EQ(binary(i(258), "SMALLINT"), "0201000000000000");
    EXPECT_EQ(text(i(1), "BOOLEAN"), "1");
    EXPECT_EQ(text(t("true"), "BOOLEAN"), "1");
    EXPECT_EQ(text(t("f"), "TINYINT(1)"), "0");
    EXPECT_EQ(binary(i(1), "BOOL"), "01");
    EXPECT_EQ(text(i(300), "BOOL"), "out_of_range");
}

TEST(MySqlValues, Numbers)
{
    EXPECT_EQ(text(d(0.1), "REAL"), "0.1");
    EXPECT_EQ(text(i(3), "DOUBLE"), "3");
    EXPECT_EQ(text(t("x"), "DOUBLE PRECISION"), "not_of_type");
    EXPECT_EQ(binary(d(1.0), "FLOAT"), "000000000000f03f");
    EXPECT_EQ(text(d(12.5), "DECIMAL(10,2)"), "12.50");
    EXPECT_EQ(text(i(3), "NUMERIC(10,2)"), "3.00");
    EXPECT_EQ(text(d(12.345), "DECIMAL(10,2)"), "12.345");
    EXPECT_EQ(text(t("123456789012345678901234567890.5"), "DECIMAL(40,1)"),
              "123456789012345678901234567890.5");
    EXPECT_EQ(text(d(12.5), "NUMERIC"), "12.5");
    EXPECT_EQ(text(t("twelve"), "NUMERIC"), "not_of_type");
    EXPECT_EQ(binary(d(12.5), "DECIMAL(10,2)"), "0531322e3530");
}

TEST(MySqlValues, CharactersAndBytes)
{
    EXPECT_EQ(text(t("a\xc3\xa9"), "VARCHAR(5)"), "a\xc3\xa9");
    EXPECT_EQ(text(i(5), "TEXT"), "5");
    EXPECT_EQ(text(d(1.0), "TEXT"), "1.0");
    const auto raw = bytes_of("00ff");
    EXPECT_EQ(text(bytes_view(raw), "TEXT"), "not_utf8");
    EXPECT_EQ(binary(bytes_view(raw), "BLOB"), "0200ff");
    EXPECT_EQ(binary(t("abc"), "BLOB"), "03616263");
    EXPECT_EQ(text(t("{\"a\": 1}"), "JSON"), "{\"a\": 1}");
}

TEST(MySqlValues, LongStringsHaveLongLengths)
{
    const auto length_of = [](std::size_t size) {
        byte_queue out;
        append_lenenc_string(out, as_bytes(std::string(size, 'x')));
        return hex(out.readable().first(out.size() - size));
    };
    EXPECT_EQ(length_of(250), "fa");
    EXPECT_EQ(length_of(251), "fcfb00");
    EXPECT_EQ(length_of(65536), "fd000001");
    EXPECT_EQ(length_of(1 << 24), "fe0000000100000000");
}

TEST(MySqlValues, DatesAndTimes)
{
    EXPECT_EQ(text(t("2024-02-29"), "DATE"), "2024-02-29");
    EXPECT_EQ(text(t("2024-02-29 05:06:07.000"), "DATE"), "2024-02-29");
    EXPECT_EQ(text(t("2024-02-30"), "DATE"), "not_a_time");
    EXPECT_EQ(text(t("2024-02-29T10:20:30"), "DATETIME"), "2024-02-29 10:20:30");
    EXPECT_EQ(text(t("2024-02-29 10:20:30.5"), "DATETIME(6)"), "2024-02-29 10:20:30.500000");
    EXPECT_EQ(text(t("2024-02-29 10:20:30.250"), "TIMESTAMP"), "2024-02-29 10:20:30.25");
    EXPECT_EQ(text(t("2024-02-29"), "TIMESTAMP"), "2024-02-29 00:00:00");
    EXPECT_EQ(text(i(1700000000), "TIMESTAMP"), "not_of_type");
    EXPECT_EQ(text(t("0000-00-00 00:00:00"), "DATETIME"), "0000-00-00 00:00:00");
    EXPECT_EQ(text(t("-120:05:06"), "TIME"), "-120:05:06");
    EXPECT_EQ(text(t("839:00:00"), "TIME"), "not_a_time");
    EXPECT_EQ(binary(t("2024-02-29"), "DATE"), "04e807021d");
    EXPECT_EQ(binary(t("2024-02-29 10:20:30"), "DATETIME"), "07e807021d0a141e");
    EXPECT_EQ(binary(t("1999-12-31 23:59:59.000001"), "DATETIME"), "0bcf070c1f173b3b01000000");
    EXPECT_EQ(binary(t("2024-02-29"), "DATETIME"), "04e807021d");
    EXPECT_EQ(binary(t("-49:00:01"), "TIME"), "080102000000010001");
    EXPECT_EQ(binary(t("00:00:00"), "TIME"), "00");
    EXPECT_EQ(binary(t("0000-00-00"), "DATE"), "00");
}

bound_value read(std::string_view sent, column_type type, bool is_unsigned = false)
{
    const auto bytes = bytes_of(sent);
    field_reader in{bytes_view(bytes)};
    bound_value out;
    EXPECT_EQ(read_parameter(in, type, is_unsigned, out), conversion::ok) << sent;
    EXPECT_FALSE(in.finish()) << sent;
    return out;
}

std::string string_of(const bound_value& value)
{
    return std::holds_alternative<std::string>(value) ? std::get<std::string>(value) : "?";
}

TEST(MySqlParameters, Numbers)
{
    using enum column_type;
    EXPECT_EQ(read("ff", tiny), bound_value(std::int64_t{-1}));
    EXPECT_EQ(read("ff", tiny, true), bound_value(std::int64_t{255}));
    EXPECT_EQ(read("0080", short_), bound_value(std::int64_t{-32768}));
    EXPECT_EQ(read("ffffffff", long_), bound_value(std::int64_t{-1}));
    EXPECT_EQ(read("ffffffff", long_, true), bound_value(std::int64_t{4294967295}));
    EXPECT_EQ(read("feffffffffffffff", longlong), bound_value(std::int64_t{-2}));
    EXPECT_EQ(read("0000000000001440", double_), bound_value(std::int64_t{5}));
    EXPECT_EQ(read("000000000000f83f", double_), bound_value(1.5));
    EXPECT_EQ(read("cdcccc3d", float_), bound_value(0.1));
    EXPECT_EQ(read("0431322e35", newdecimal), bound_value(12.5));
    EXPECT_EQ(read("023132", newdecimal), bound_value(std::int64_t{12}));
    EXPECT_EQ(
        string_of(read("1b3132333435363738393031323334353637383930313233342e3132", newdecimal)),
        "123456789012345678901234.12");
    const auto huge = bytes_of("ffffffffffffffff");
    field_reader in{bytes_view(huge)};
    bound_value out;
    EXPECT_EQ(read_parameter(in, longlong, true, out), conversion::out_of_range);
}

TEST(MySqlParameters, TextBytesAndTimes)
{
    using enum column_type;
    EXPECT_EQ(string_of(read("03616263", var_string)), "abc");
    EXPECT_EQ(read("0200ff", string), bound_value(bytes_of("00ff")));
    EXPECT_EQ(read("03616263", blob), bound_value(bytes_of("616263")));
    EXPECT_EQ(string_of(read("04e807021d", date)), "2024-02-29");
    EXPECT_EQ(string_of(read("04e807021d", datetime)), "2024-02-29 00:00:00");
    EXPECT_EQ(string_of(read("07e807021d0a141e", timestamp)), "2024-02-29 10:20:30");
    EXPECT_EQ(string_of(read("0be807021d0a141e3f420f00", datetime)), "2024-02-29 10:20:30.999999");
    const auto too_many = bytes_of("0be807021d0a141e40420f00");
    field_reader in{bytes_view(too_many)};
    bound_value out;
    EXPECT_EQ(read_parameter(in, datetime, false, out), conversion::not_a_time);
}

TEST(MySqlParameters, Durations)
{
    using enum column_type;
    EXPECT_EQ(string_of(read("080102000000010001", time)), "-49:00:01");
    EXPECT_EQ(string_of(read("00", time)), "00:00:00");
    EXPECT_EQ(string_of(read("0c000000000001020320a10700", time)), "01:02:03.5");
}

// Whatever arrives: a value, a refusal or a cursor that failed; never a read out of bounds.
TEST(MySqlParameters, EveryPrefixOfEveryType)
{
    const auto whole = bytes_of("0be807021d0a141e40420e00");
    for (int type = 0; type < 256; ++type) {
        for (std::size_t size = 0; size <= whole.size(); ++size) {
            const std::vector<std::byte> part(whole.begin(),
                                              whole.begin() + static_cast<std::ptrdiff_t>(size));
            field_reader in{bytes_view(part)};
            bound_value out;
            (void)read_parameter(in, static_cast<column_type>(type), false, out);
        }
    }
}

TEST(MySqlColumnTypes, NamesForTheCatalog)
{
    const auto full = [](std::string_view declared) { return read_declared_type(declared).full; };
    EXPECT_EQ(full("INTEGER"), "bigint(20)");
    EXPECT_EQ(full("int"), "int(11)");
    EXPECT_EQ(full("INT UNSIGNED"), "int(10) unsigned");
    EXPECT_EQ(full("INT(5) UNSIGNED"), "int(5) unsigned");
    EXPECT_EQ(full("bool"), "tinyint(1)");
    EXPECT_EQ(full("VARCHAR(20)"), "varchar(20)");
    EXPECT_EQ(full("VARCHAR"), "longtext");
    EXPECT_EQ(full("CHARACTER VARYING(7)"), "varchar(7)");
    EXPECT_EQ(full("NUMERIC(10,2)"), "decimal(10,2)");
    EXPECT_EQ(full("DECIMAL(10)"), "decimal(10,0)");
    EXPECT_EQ(full("REAL"), "double");
    EXPECT_EQ(full("DATETIME(6)"), "datetime(6)");
    EXPECT_EQ(full("BLOB"), "blob");
    EXPECT_EQ(full("VARBINARY(8)"), "varbinary(8)");
    EXPECT_EQ(full(""), "text");
    EXPECT_EQ(full("UNSIGNED BIG INT"), "bigint(20) unsigned");
    EXPECT_EQ(full("WHATEVER"), "text");
    EXPECT_EQ(read_declared_type("TEXT").shape.length, 65535u * 4);
    EXPECT_TRUE(read_declared_type("BLOB").shape.binary);
    value_shape none;
    EXPECT_FALSE(shape_of_declaration("", none));
    EXPECT_FALSE(shape_of_declaration("STRANGE", none));
}

}  // namespace
}  // namespace sluice::mysql
