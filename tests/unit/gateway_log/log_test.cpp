// tests/unit/gateway_log/log_test.cpp: the exact lines that operators and log collectors read.
#include "gateway/log/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

#include "gateway/log/line.hpp"

namespace sluice::gateway::log {
namespace {

using testing::MatchesRegex;
using testing::SizeIs;

std::string text_line(std::string_view message, fields values = {})
{
    line_buffer out;
    append_text_line(out, message, values);
    return {out.data(), out.size()};
}

std::string json_line(std::string_view message, fields values = {})
{
    line_buffer out;
    append_json_members(out, message, values);
    return {out.data(), out.size()};
}

class LogFile : public testing::Test {
protected:
    void SetUp() override
    {
        char name[] = "/tmp/sluice_log_XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        folder = name;
        settings.file = folder + "/log";
    }
    void TearDown() override
    {
        close();
        std::filesystem::remove_all(folder);
    }
    static std::vector<std::string> lines(const std::string& file)
    {
        std::ifstream in(file);
        std::vector<std::string> found;
        for (std::string line; std::getline(in, line);)
            found.push_back(line);
        return found;
    }

    std::string folder;
    log_config settings;
};

TEST(LogLine, TextShowsEveryKindOfValue)
{
    EXPECT_EQ(text_line("client connected",
                        {{"client", 7},
                         {"user", std::string("alice")},
                         {"bytes", std::size_t{18'446'744'073'709'551'615u}},
                         {"tls", true},
                         {"load", 0.5},
                         {"waited_ms", duration{250}}}),
              "client connected client=7 user=alice bytes=18446744073709551615 tls=true load=0.5 "
              "waited_ms=250");
}

TEST(LogLine, TextOfAClientCannotFakeALine)
{
    EXPECT_EQ(text_line("login failed", {{"user", "a\n2026 info ok user=\"root\"\x1b[0m"}}),
              R"(login failed user="a\n2026 info ok user=\"root\"\x1b[0m")");
    EXPECT_EQ(text_line("two\nlines \"quoted\""), R"(two\nlines "quoted")");
    EXPECT_EQ(text_line("x", {{"empty", ""}, {"utf8", "Zoë"}, {"bad", "\xff\xc3"}}),
              R"(x empty="" utf8="Zoë" bad="\xff\xc3")");
}

TEST(LogLine, JsonIsValidWhateverTheText)
{
    std::string every_byte;
    for (int c = 0; c < 256; ++c)
        every_byte.push_back(static_cast<char>(c));
    const auto parsed = nlohmann::json::parse(
        "{" + json_line("m\"\\", {{"all", every_byte}, {"nan", 0.0 / 0.0}, {"n", -5}}) + "}");
    EXPECT_EQ(parsed["message"], "m\"\\");
    EXPECT_EQ(parsed["all"].get<std::string>().substr(0, 128), every_byte.substr(0, 128));
    EXPECT_TRUE(parsed["nan"].is_null());
    EXPECT_EQ(parsed["n"], -5);
}

TEST(LogLine, JsonKeepsUtf8AndReplacesWhatIsNot)
{
    EXPECT_EQ(json_line("x", {{"a", "Zoë €😀"}, {"b", "\xed\xa0\x80|\xc0\xaf"}}),
              "\"message\":\"x\",\"a\":\"Zoë €😀\","
              "\"b\":\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD|\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST(LogLine, ASecretIsNoValue)
{
    static_assert(!std::is_constructible_v<field, std::string_view, secret>);
    static_assert(!std::is_constructible_v<field, std::string_view, const secret&>);
}

TEST_F(LogFile, TextLinesCarryTimeAndLevel)
{
    ASSERT_EQ(open(settings), "");
    info("client connected", {{"client", 7}});
    warn("pool exhausted", {{"database", "app"}});
    debug("not at this level");
    close();
    const auto written = lines(settings.file);
    ASSERT_THAT(written, SizeIs(2));
    const std::string time = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z ";
    EXPECT_THAT(written[0], MatchesRegex(time + "info client connected client=7"));
    EXPECT_THAT(written[1], MatchesRegex(time + "warn pool exhausted database=app"));
}

TEST_F(LogFile, JsonLinesAreObjects)
{
    settings.format = log_format::json;
    settings.level = log_level::trace;
    ASSERT_EQ(open(settings), "");
    trace("a");
    error("backend lost", {{"database", "app"}, {"pid", 42}});
    close();
    const auto written = lines(settings.file);
    ASSERT_THAT(written, SizeIs(2));
    EXPECT_EQ(nlohmann::json::parse(written[0])["level"], "trace");
    auto parsed = nlohmann::json::parse(written[1]);
    EXPECT_THAT(parsed["time"].get<std::string>(), MatchesRegex("[-0-9]{10}T[:0-9]{8}.[0-9]{3}Z"));
    parsed.erase("time");
    EXPECT_EQ(parsed.dump(),
              R"({"database":"app","level":"error","message":"backend lost","pid":42})");
}

TEST_F(LogFile, EveryQueuedLineIsWrittenAtTheEnd)
{
    settings.queue = 10'000;
    ASSERT_EQ(open(settings), "");
    for (int i = 0; i < 5'000; ++i)
        info("line", {{"i", i}});
    close();
    EXPECT_THAT(lines(settings.file), SizeIs(5'000));
}

TEST_F(LogFile, TheOldestLinesAreDroppedWhenTheDiskIsSlow)
{
    // A pipe that nobody reads is the slowest disk there is: 64 KiB, then write() blocks.
    settings.queue = 16;
    ASSERT_EQ(mkfifo(settings.file.c_str(), 0600), 0);
    const int reader = ::open(settings.file.c_str(), O_RDONLY | O_NONBLOCK);
    ASSERT_GE(reader, 0);
    ASSERT_EQ(open(settings), "");
    const std::string filler(1024, 'x');
    for (int i = 0; i < 1'000; ++i)
        info(filler, {{"i", i}});
    EXPECT_GT(dropped(), 800u);
    std::signal(SIGPIPE, SIG_IGN);
    ::close(reader);  // the writer's thread gets EPIPE and goes on
    close();
}

TEST_F(LogFile, ReopenFollowsARotatedFile)
{
    ASSERT_EQ(open(settings), "");
    info("one");
    while (lines(settings.file).empty())
        usleep(1000);
    std::filesystem::rename(settings.file, settings.file + ".1");
    reopen();
    info("two");
    close();
    EXPECT_THAT(lines(settings.file + ".1"), SizeIs(1));
    EXPECT_THAT(lines(settings.file), SizeIs(1));
}

TEST_F(LogFile, AFileThatCannotBeOpenedIsNamed)
{
    settings.file = folder + "/missing/log";
    EXPECT_EQ(open(settings),
              "cannot write the log file " + settings.file + ": No such file or directory");
    info("goes nowhere");
}

}  // namespace
}  // namespace sluice::gateway::log
