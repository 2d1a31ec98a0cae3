// drivers/mysql/connect.cpp: a connection from its address to a session that reports its state.
#include "drivers/mysql/connect.hpp"

#include <openssl/err.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "drivers/mysql/resolve.hpp"
#include "drivers/mysql/session.hpp"
#include "proto/core/errc.hpp"

namespace sluice::mysql {
namespace {

constexpr std::uint16_t unknown_system_variable = 1193;

constexpr std::array trackers{std::string_view("session_track_system_variables='*'"),
                              std::string_view("session_track_schema=ON"),
                              std::string_view("session_track_state_change=ON"),
                              std::string_view("session_track_transaction_info='CHARACTERISTICS'")};

void keep_last(std::vector<std::pair<std::string, std::string>>& into,
               std::vector<std::pair<std::string, std::string>> reported)
{
    for (auto& [name, value] : reported) {
        const auto same = [&name = name](const auto& other) { return other.first == name; };
        const auto old = std::find_if(into.begin(), into.end(), same);
        if (old == into.end())
            into.emplace_back(std::move(name), std::move(value));
        else
            old->second = std::move(value);
    }
}

// One statement; where the server is without one of the trackers, each that it has.
asio::awaitable<answer> track_session(channel& link, opened& facts)
{
    std::string all = "SET ";
    for (const auto one : trackers)
        all.append(all.size() > 4 ? ", " : "").append(one);
    auto said = co_await link.run(all, facts.capabilities);
    if (said.number != unknown_system_variable) {
        keep_last(facts.variables, std::move(said.variables));
        co_return said;
    }
    for (const auto one : trackers) {
        const auto alone = "SET " + std::string(one);
        said = co_await link.run(alone, facts.capabilities);
        if (!said.ok() && said.number != unknown_system_variable)
            co_return said;
        keep_last(facts.variables, std::move(said.variables));
    }
    said.number = 0;
    co_return said;
}

}  // namespace

descriptor::~descriptor()
{
    if (fd_ >= 0)
        ::close(fd_);
}

asio::awaitable<connect_result> connect(asio::io_context& loop,
                                        asio::thread_pool& blocking,
                                        connect_options options,
                                        std::chrono::steady_clock::time_point deadline)
{
    auto made = co_await log_in(loop, blocking, options, deadline);
    wipe(options.password);
    if (!made.link)
        co_return std::move(made.failed);
    auto& facts = made.facts;
    connect_result result;
    if (options.track_session && (facts.capabilities & capability::session_track)) {
        const auto said = co_await track_session(*made.link, facts);
        if (!said.ok()) {
            const bool late = made.link->late();
            result.error = late ? errc::connect_timeout : errc::connect_failed;
            result.number = said.number;
            result.message = describe(options, facts.server) + ": " + said.text +
                             ", while turning on session tracking";
            (void)made.link->release();
            co_return result;
        }
        if (said.status != 0)
            facts.status = said.status;
    }
    facts.ssl = made.link->take_ssl();
    facts.socket = made.link->release();
    if (facts.fd() < 0) {
        result.error = errc::connect_failed;
        result.message = describe(options, facts.server) + ": the socket cannot be handed over";
        co_return result;
    }
    result.connection = std::move(facts);
    co_return result;
}

void close(opened connection) noexcept
{
    constexpr std::array<unsigned char, 5> quit{1, 0, 0, 0, 1};
    if (connection.ssl) {
        ERR_clear_error();
        SSL_write(connection.ssl.get(), quit.data(), quit.size());
        ERR_clear_error();
    } else {
        (void)::send(connection.fd(), quit.data(), quit.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    }
}

}  // namespace sluice::mysql
