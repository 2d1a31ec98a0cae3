// drivers/mysql/session.cpp: addresses one after the other, up to the end of the login.
#include "drivers/mysql/session.hpp"

#include <algorithm>

#include "drivers/mysql/resolve.hpp"
#include "proto/core/errc.hpp"

namespace sluice::mysql {
namespace {

using clock = std::chrono::steady_clock;

// How one address ended.
struct ending {
    std::string problem;       // empty: logged in
    std::string_view stage;    // where
    std::uint16_t number = 0;  // the server's
    bool final = false;        // other addresses would say the same
};

client_login_options login_options(const connect_options& options)
{
    client_login_options made;
    made.user = options.user;
    made.password = options.password;
    made.database = options.database;
    made.attributes = options.attributes;
    made.capabilities = options.capabilities;
    made.collation = options.collation;
    made.unix_socket = !options.socket.empty();
    made.ask_server_key = options.ask_server_key;
    made.tls = server_tls::off;
    if (options.tls && !made.unix_socket)
        made.tls =
            options.tls->mode() == tls_mode::preferred ? server_tls::prefer : server_tls::require;
    return made;
}

// ER_DBACCESS_DENIED, ER_ACCESS_DENIED, ER_BAD_DB, ER_ACCESS_DENIED_NO_PASSWORD
bool is_final(std::uint16_t number)
{
    constexpr std::uint16_t finals[] = {1044, 1045, 1049, 1698};
    return std::find(std::begin(finals), std::end(finals), number) != std::end(finals);
}

void take_facts(const client_login& login, const server_address& server, opened& facts)
{
    facts.capabilities = login.capabilities();
    facts.status = login.status();
    facts.connection_id = login.connection_id();
    facts.is_mariadb = login.is_mariadb();
    facts.server_version = login.server_version();
    facts.server = server;
    facts.variables = login.variables();
}

// Obeys the login machine until it is content or not.
asio::awaitable<ending> converse(channel& link,
                                 const connect_options& options,
                                 const server_address& server,
                                 opened& facts)
{
    client_login login(login_options(options));
    ending end;
    end.stage = "waiting for its greeting";
    for (;;) {
        std::size_t consumed = 0;
        const auto action = login.step(link.in.readable(), consumed, link.out);
        link.in.consume(consumed);
        if (action == client_login_action::failed) {
            end.problem = login.failure().message;
            end.number = login.failure().number;
            end.final = is_final(end.number);
            co_return end;
        }
        if (!link.out.empty())
            end.problem = co_await link.send();
        if (!end.problem.empty())
            co_return end;
        if (action == client_login_action::authenticated)
            break;
        if (action == client_login_action::start_tls) {
            end.stage = "negotiating TLS";
            end.problem = co_await link.shake_hands(*options.tls, options.host);
            if (end.problem.empty())
                login.tls_started(link.out);
        } else {
            end.problem = co_await link.receive();
            end.stage = login.connection_id() == 0 ? "reading its greeting" : "logging in";
        }
        if (!end.problem.empty())
            co_return end;
    }
    if (!link.in.empty())
        end.problem = "the server spoke out of turn";
    take_facts(login, server, facts);
    co_return end;
}

std::string one_line(std::string text)
{
    std::replace_if(
        text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 127; }, ' ');
    return text;
}

connect_result refused(std::error_code error, std::string message, std::uint16_t number = 0)
{
    connect_result made;
    made.error = error;
    made.message = one_line(std::move(message));
    made.number = number;
    return made;
}

}  // namespace

asio::awaitable<logged_in> log_in(asio::io_context& loop,
                                  asio::thread_pool& blocking,
                                  const connect_options& options,
                                  clock::time_point deadline)
{
    logged_in made;
    const auto found = co_await resolve(loop, blocking, options, deadline);
    if (found.addresses.empty()) {
        made.failed = refused(found.late ? errc::connect_timeout : errc::connect_failed,
                              describe(options) + ": " + found.problem);
        co_return made;
    }
    std::string said;
    ending end;
    bool late = false;
    auto left = static_cast<clock::rep>(found.addresses.size());
    for (const auto& address : found.addresses) {
        const auto link = std::make_shared<channel>(loop);
        const auto now = clock::now();
        link->set_deadline(left == 1 ? deadline : now + (deadline - now) / left);
        --left;
        end = {};
        end.stage = "connecting";
        end.problem = co_await link->connect(address);
        if (end.problem.empty())
            end = co_await converse(*link, options, address, made.facts);
        if (end.problem.empty()) {
            link->set_deadline(deadline);
            made.link = link;
            co_return made;
        }
        late = link->late();
        (void)link->release();
        if (!said.empty())
            said += "; ";
        said += describe(options, address) + ": " + end.problem;
        if (late)
            said.append(", while ").append(end.stage);
        if (end.final || clock::now() >= deadline)
            break;
    }
    made.failed =
        refused(late ? errc::connect_timeout : errc::connect_failed, std::move(said), end.number);
    co_return made;
}

}  // namespace sluice::mysql
