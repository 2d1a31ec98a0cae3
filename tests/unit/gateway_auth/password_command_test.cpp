// tests/unit/gateway_auth/password_command_test.cpp: `sluice password USER`.
#include "gateway/auth/password_command.hpp"

#include <gtest/gtest.h>
#include <pty.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <iostream>
#include <sstream>

#include "proto/pg/md5.hpp"
#include "proto/pg/scram.hpp"

namespace sluice::gateway {
namespace {

struct outcome {
    int code = 0;
    std::string out;
    std::string err;
};

outcome run(const std::string& user, const std::string& input, bool terminal = false)
{
    std::istringstream in(input);
    std::ostringstream out;
    std::ostringstream err;
    const password_streams streams{in, out, err};
    const int code = run_password_command(user, streams, terminal);
    return {code, out.str(), err.str()};
}

// The text in quotes behind the first `key` in `lines`.
std::string quoted(const std::string& lines, const std::string& key)
{
    const auto at = lines.find(key);
    if (at == std::string::npos)
        return {};
    const auto begin = lines.find('"', at) + 1;
    return lines.substr(begin, lines.find('"', begin) - begin);
}

TEST(PasswordCommand, PrintsVerifiersThatFit)
{
    for (const char* input : {"secret\n", "secret", "secret\r\n", "secret\nsecond line\n"}) {
        const auto made = run("alice", input);
        ASSERT_EQ(made.code, 0) << made.err;
        const auto verifier = pg::parse_scram_verifier(quoted(made.out, "\npassword ="));
        ASSERT_TRUE(verifier) << made.out;
        EXPECT_TRUE(pg::matches_scram_verifier(*verifier, "secret"));
        EXPECT_EQ(verifier->iterations, 4096u);
        EXPECT_EQ(quoted(made.out, "\n# password ="), pg::make_md5_verifier("secret", "alice"));
        EXPECT_NE(made.out.find("[users.alice]"), std::string::npos);
        EXPECT_EQ(made.out.find("secret"), std::string::npos);
        EXPECT_TRUE(made.err.empty());
    }
    EXPECT_NE(quoted(run("a", "x").out, "\npassword ="), quoted(run("a", "x").out, "\npassword ="));
}

TEST(PasswordCommand, NamesThatAreNoBareKeysAreQuoted)
{
    EXPECT_NE(run("a b", "x").out.find("[users.\"a b\"]"), std::string::npos);
    EXPECT_NE(run("a\"b", "x").out.find("[users.\"a\\\"b\"]"), std::string::npos);
    EXPECT_NE(run("a\nb", "x").out.find("[users.\"a\\u000Ab\"]"), std::string::npos);
}

TEST(PasswordCommand, WhatCannotBeAPasswordIsRefusedWithoutQuotingIt)
{
    const auto verifier = pg::format_scram_verifier(pg::make_scram_verifier("x", "salt", 1));
    for (const auto& input : {std::string(),
                              std::string("\n"),
                              std::string(password_size_max + 1, 'x'),
                              std::string(1'000'000, 'x'),
                              std::string("a\0b\n", 4),
                              verifier,
                              std::string("SCRAM-SHA-256$damaged"),
                              pg::make_md5_verifier("x", "alice")}) {
        const auto made = run("alice", input);
        EXPECT_EQ(made.code, 1);
        EXPECT_TRUE(made.out.empty());
        EXPECT_FALSE(made.err.empty());
        EXPECT_LT(made.err.size(), 300u);
    }
    EXPECT_EQ(run("", "x").code, 1);
    EXPECT_EQ(run("a", std::string(password_size_max, 'x')).code, 0);
}

TEST(PasswordCommand, ANewPasswordMayTakeTheSaltOfTheOld)
{
    const auto old = pg::make_scram_verifier("old", "the salt of old", 5000);
    std::istringstream in("new\n");
    std::ostringstream out;
    const password_streams streams{in, out, out};
    ASSERT_EQ(run_password_command("a", streams, false, pg::format_scram_verifier(old)), 0);
    const auto made = pg::parse_scram_verifier(quoted(out.str(), "\npassword ="));
    ASSERT_TRUE(made);
    EXPECT_TRUE(made->same_challenge(old));
    EXPECT_TRUE(pg::matches_scram_verifier(*made, "new"));
    EXPECT_EQ(run_password_command("a", streams, false, "no verifier"), 1);
}

TEST(PasswordCommand, ATerminalIsAskedTwice)
{
    EXPECT_EQ(run("alice", "secret\nsecret\n", true).code, 0);
    const auto differ = run("alice", "secret\nsecrets\n", true);
    EXPECT_EQ(differ.code, 1);
    EXPECT_TRUE(differ.out.empty());
    EXPECT_NE(differ.err.find("differ"), std::string::npos);
    EXPECT_EQ(run("alice", "secret\n", true).code, 1);
    EXPECT_EQ(run("alice", "sec\3", true).code, 130);
}

// Everything the terminal shows until the child ends.
std::string screen_of(int terminal)
{
    std::string screen;
    char block[512];
    for (;;) {
        const auto got = read(terminal, block, sizeof block);
        if (got <= 0)
            return screen;
        screen.append(block, static_cast<std::size_t>(got));
    }
}

outcome run_on_a_terminal(const std::string& first, const std::string& second)
{
    int terminal = -1;
    const pid_t child = forkpty(&terminal, nullptr, nullptr, nullptr);
    if (child < 0)
        return {-1, "", "forkpty failed"};
    if (child == 0) {
        alarm(100);
        const password_streams streams{std::cin, std::cout, std::cerr};
        const int code = run_password_command("alice", streams, true);
        termios now{};
        tcgetattr(STDIN_FILENO, &now);
        const tcflag_t wanted = ECHO | ISIG;
        _exit((now.c_lflag & wanted) == wanted ? code : 99);
    }
    // Written after each prompt: what was typed ahead is flushed with the echo.
    std::string seen;
    char c = 0;
    while (seen.find("Password: ") == std::string::npos && read(terminal, &c, 1) == 1)
        seen += c;
    (void)!write(terminal, first.data(), first.size());
    if (!second.empty()) {
        while (seen.find("again: ") == std::string::npos && read(terminal, &c, 1) == 1)
            seen += c;
        (void)!write(terminal, second.data(), second.size());
    }
    seen += screen_of(terminal);
    int status = 0;
    waitpid(child, &status, 0);
    close(terminal);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, seen, ""};
}

TEST(PasswordCommand, NothingIsEchoedAndTheTerminalIsRestored)
{
    const auto made = run_on_a_terminal("secret\n", "secret\n");
    EXPECT_EQ(made.code, 0) << made.out;
    EXPECT_EQ(made.out.find("secret"), std::string::npos) << made.out;
    EXPECT_NE(made.out.find("SCRAM-SHA-256$4096:"), std::string::npos);
}

TEST(PasswordCommand, ControlCRestoresTheTerminal)
{
    const auto made = run_on_a_terminal("sec\3", "");
    EXPECT_EQ(made.code, 130) << made.out;
    EXPECT_EQ(made.out.find("sec"), std::string::npos);
}

}  // namespace
}  // namespace sluice::gateway
