// tests/integration/cli/cli_test.cpp: what the program prints and how it exits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace {

using testing::HasSubstr;

struct outcome {
    int code = -1;
    std::string text;  // standard output and error
};

outcome sluice(const std::string& arguments)
{
    const std::string line = "timeout 60 " SLUICE_BINARY " " + arguments + " 2>&1 < /dev/null";
    outcome made;
    FILE* pipe = ::popen(line.c_str(), "r");
    if (!pipe)
        return made;
    for (int c = 0; (c = std::fgetc(pipe)) != EOF;)
        made.text.push_back(static_cast<char>(c));
    const int status = ::pclose(pipe);
    made.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return made;
}

class Cli : public testing::Test {
protected:
    void SetUp() override
    {
        char name[] = "/tmp/sluice_cli_XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        folder = name;
    }
    void TearDown() override { std::filesystem::remove_all(folder); }
    std::string file(const std::string& text)
    {
        std::ofstream(folder + "/c.toml") << text;
        return folder + "/c.toml";
    }

    std::string folder;
};

TEST_F(Cli, VersionAndHelp)
{
    EXPECT_EQ(sluice("--version").code, 0);
    EXPECT_THAT(sluice("--version").text, testing::StartsWith("sluice "));
    const auto help = sluice("--help");
    EXPECT_EQ(help.code, 0);
    EXPECT_THAT(help.text, HasSubstr("sluice check sluice.toml"));
}

TEST_F(Cli, WrongArgumentsExitWithTwo)
{
    for (const auto* wrong : {"", "frobnicate", "check", "password", "--config"})
        EXPECT_EQ(sluice(wrong).code, 2) << wrong;
}

TEST_F(Cli, CheckSaysWhatAFileDoes)
{
    const auto name = file(
        "[listen]\npostgres = [\"127.0.0.1:6432\"]\n[databases.n]\nengine = \"sqlite\"\n"
        "file = \"n.db\"\n[users.a]\npassword = \"pw\"\n");
    const auto made = sluice("check " + name);
    EXPECT_EQ(made.code, 0);
    EXPECT_EQ(made.text,
              name + ": ok\nlisten postgres 127.0.0.1:6432\ndatabase n: sqlite " + folder +
                  "/n.db, 4 readers\n1 user\n");
}

TEST_F(Cli, ABadFileExitsWithOneHoweverItIsUsed)
{
    const auto name = file("[gateway]\nworkers = -1\n");
    for (const std::string how : {"check ", "--config "}) {
        const auto made = sluice(how + name);
        EXPECT_EQ(made.code, 1);
        EXPECT_THAT(made.text, HasSubstr("error: " + name + ":2:11: workers = -1 is not valid"));
        EXPECT_THAT(made.text, HasSubstr(name + ": 4 errors\n"));
    }
}

}  // namespace
