// drivers/pg/connect.cpp: PQconnectPoll, its steps on a helper thread, its waits on the loop.
#include "drivers/pg/connect.hpp"

#include <asio/posix/stream_descriptor.hpp>
#include <asio/post.hpp>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <exception>
#include <memory>

#include "drivers/io/wakeup.hpp"
#include "drivers/pg/backend_key.hpp"
#include "drivers/pg/conninfo.hpp"
#include "proto/core/errc.hpp"

namespace sluice::pg {
namespace {

using clock = std::chrono::steady_clock;
using asio::posix::stream_descriptor;

// Where a connection stands after a step. Written by the helper, read by the loop after the step.
struct progress {
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;
    clock::time_point host_until = clock::time_point::max();
    bool ready = false;        // TLS has read ahead: the next step needs no wait
    bool out_of_time = false;  // failed because a host was given up, not because it refused
    std::string server;
    std::string stage = "resolving its name";
};

// Shared by the coroutine and the helper thread, which may outlive it. `conn`, `now` and the hosts'
// bookkeeping belong to the helper from post() to signal(), to the loop otherwise.
struct attempt {
    attempt(asio::io_context& loop, connect_options with, clock::time_point until)
        : wake(loop.get_executor()), socket(loop), options(std::move(with)), deadline(until)
    {
    }

    wakeup wake;
    stream_descriptor socket;  // libpq's descriptor, during a wait only

    connect_options options;
    const clock::time_point deadline;
    std::atomic<bool> abandoned = false;
    std::atomic<bool> started = false;

    backend_key key;  // outlives conn
    conn_ptr conn;
    progress now;
    opened done;
    std::string message;
    bool give_up_host = false;  // the loop's order for the next step
    std::size_t hosts_tried = 0;
};

void ignore_notice(void*, const char*) {}

std::string_view stage_name(ConnStatusType status)
{
    switch (status) {
        case CONNECTION_STARTED:
        case CONNECTION_NEEDED:
            return "connecting";
        case CONNECTION_MADE:
        case CONNECTION_SSL_STARTUP:
            return "negotiating TLS";
        case CONNECTION_CHECK_WRITABLE:
        case CONNECTION_CHECK_STANDBY:
        case CONNECTION_CHECK_TARGET:
        case CONNECTION_CONSUME:
            return "checking target_session_attrs";
        default:
            return "logging in";
    }
}

void start(attempt& self)
{
    std::vector<const char*> keywords;
    std::vector<const char*> values;
    const auto add = [&](const char* keyword, const std::string& value) {
        keywords.push_back(keyword);
        values.push_back(value.c_str());
    };
    // Later ones win. A GSSAPI-encrypted transport cannot be lent, so it has to be asked for, and
    // is refused then.
    const std::string disable = "disable";
    const std::string name = "sluice";
    add("gssencmode", disable);
    add("fallback_application_name", name);
    if (!self.options.url.empty())
        add("dbname", self.options.url);
    for (const auto& [keyword, value] : self.options.overrides)
        add(keyword.c_str(), value);
    keywords.push_back(nullptr);
    values.push_back(nullptr);
    // Only the first dbname is ever expanded as a connection string, and only if there is a url:
    // an override may be what a client sent.
    const int expand = self.options.url.empty() ? 0 : 1;
    self.conn.reset(PQconnectStartParams(keywords.data(), values.data(), expand));
    if (!self.conn || PQstatus(self.conn.get()) == CONNECTION_BAD) {
        self.now.status = PGRES_POLLING_FAILED;
        return;
    }
    PQsetNoticeProcessor(self.conn.get(), ignore_notice, nullptr);
    self.key.watch(*self.conn);
    self.now.status = PGRES_POLLING_WRITING;  // as libpq documents
}

// Ends the wait for a host that used up its share of the time.
void leave_host(attempt& self)
{
    PGconn& conn = *self.conn;
    self.message +=
        "no answer from the " + self.now.server + " in time, while " + self.now.stage + "; ";
    if (PQstatus(&conn) == CONNECTION_STARTED) {
        // libpq cannot be told to go on to the next address, but does when connecting fails.
        ::shutdown(PQsocket(&conn), SHUT_RDWR);
        self.now.status = PQconnectPoll(&conn);
    } else if (drop_current_host(conn, self.options)) {
        self.message += PQerrorMessage(&conn);  // of the hosts before
        start(self);
    } else {
        self.now.status = PGRES_POLLING_FAILED;
    }
    self.now.out_of_time = self.now.status == PGRES_POLLING_FAILED;
}

// libpq's connect_timeout, which PQconnectPoll leaves to its caller; else an equal share of the
// time that is left for each host that may still be tried.
clock::duration share_of_host(attempt& self)
{
    const auto value = effective_value(*self.conn, "connect_timeout");
    int seconds = 0;
    std::from_chars(value.data(), value.data() + value.size(), seconds);
    if (seconds > 0)
        return std::chrono::seconds(seconds);
    const auto hosts = host_count(*self.conn);
    const auto rest = hosts > self.hosts_tried ? hosts - self.hosts_tried : 1;
    ++self.hosts_tried;
    if (rest == 1)
        return clock::duration::max();
    return (self.deadline - clock::now()) / static_cast<clock::rep>(rest);
}

void look(attempt& self)
{
    PGconn& conn = *self.conn;
    auto server = describe_server(conn);
    if (server != self.now.server) {
        self.now.server = std::move(server);
        const auto share = share_of_host(self);
        self.now.host_until =
            share == clock::duration::max() ? clock::time_point::max() : clock::now() + share;
    }
    self.now.stage = stage_name(PQstatus(&conn));
    auto* ssl = static_cast<SSL*>(PQsslStruct(&conn, "OpenSSL"));
    self.now.ready = ssl && self.now.status == PGRES_POLLING_READING && SSL_pending(ssl) > 0;
}

// The ParameterStatus values that PostgreSQL 9.6 to 18 may report at login.
constexpr const char* reported[] = {"application_name",
                                    "client_encoding",
                                    "DateStyle",
                                    "default_transaction_read_only",
                                    "in_hot_standby",
                                    "integer_datetimes",
                                    "IntervalStyle",
                                    "is_superuser",
                                    "scram_iterations",
                                    "search_path",
                                    "server_encoding",
                                    "server_version",
                                    "session_authorization",
                                    "standard_conforming_strings",
                                    "TimeZone"};

void finish(attempt& self)
{
    PGconn& conn = *self.conn;
    if (PQgssEncInUse(&conn)) {
        self.message +=
            "the connection is encrypted by GSSAPI, which cannot be pooled: remove "
            "gssencmode or use TLS (sslmode)";
        self.now.status = PGRES_POLLING_FAILED;
        self.conn.reset();
        return;
    }
    PQsetnonblocking(&conn, 1);
    // Takes in notices and parameters that came with ReadyForQuery: whoever borrows the descriptor
    // would never see them.
    (void)PQisBusy(&conn);
    for (const char* name : reported) {
        if (const char* value = PQparameterStatus(&conn, name))
            self.done.parameters.emplace_back(name, value);
    }
    self.done.fd = PQsocket(&conn);
    self.done.ssl = static_cast<SSL*>(PQsslStruct(&conn, "OpenSSL"));
    self.done.backend_pid = PQbackendPID(&conn);
    self.done.ticket = cancel_ticket(conn, self.key.take(conn));
    self.done.conn = std::move(self.conn);
}

// One step, on a helper thread.
void step(attempt& self)
{
    self.started = true;
    if (self.give_up_host)
        leave_host(self);
    else if (!self.conn)
        start(self);
    else
        self.now.status = PQconnectPoll(self.conn.get());
    self.give_up_host = false;

    if (self.now.status == PGRES_POLLING_OK)
        finish(self);
    else if (self.now.status == PGRES_POLLING_FAILED)
        self.message += self.conn ? PQerrorMessage(self.conn.get()) : "out of memory";
    else
        look(self);
}

void step_unless_abandoned(attempt& self) noexcept
{
    if (self.abandoned)
        return;
    try {
        step(self);
    } catch (const std::exception& e) {
        self.now.status = PGRES_POLLING_FAILED;
        self.message = e.what();
    }
    // Failed or unwanted: closed here, where it may take its time.
    if (self.now.status == PGRES_POLLING_FAILED || self.abandoned) {
        self.conn.reset();
        self.done.conn.reset();
    }
}

void post_step(asio::io_context& loop,
               asio::thread_pool& blocking,
               const std::shared_ptr<attempt>& self)
{
    const unsigned turn = self->wake.begin();
    asio::post(blocking, [self, turn, &loop]() {
        step_unless_abandoned(*self);
        asio::post(loop, [self, turn]() { self->wake.signal(turn); });
    });
}

// Registers libpq's descriptor; unwatch() before libpq runs again, as it may close or replace it.
std::error_code watch(const std::shared_ptr<attempt>& self)
{
    std::error_code failed;
    self->socket.assign(PQsocket(self->conn.get()), failed);
    if (failed)
        return failed;
    const unsigned turn = self->wake.begin();
    const auto direction = self->now.status == PGRES_POLLING_READING
                               ? stream_descriptor::wait_read
                               : stream_descriptor::wait_write;
    self->socket.async_wait(direction, [self, turn](std::error_code ec) {
        if (ec != asio::error::operation_aborted)
            self->wake.signal(turn);
    });
    return failed;
}

void unwatch(attempt& self)
{
    if (self.socket.is_open())
        self.socket.release();
}

// However the coroutine ends, the helper stops and libpq's descriptor stays libpq's.
struct abandon_on_exit {
    explicit abandon_on_exit(attempt& a) noexcept : self(a) {}
    abandon_on_exit(const abandon_on_exit&) = delete;
    abandon_on_exit& operator=(const abandon_on_exit&) = delete;
    ~abandon_on_exit()
    {
        self.abandoned = true;
        unwatch(self);
    }
    attempt& self;
};

connect_result refused(std::error_code error, std::string_view message)
{
    connect_result result;
    result.error = error;
    result.message = one_line(message);
    return result;
}

connect_result timed_out(const attempt& self, const progress& last)
{
    if (!self.started)
        return refused(errc::connect_timeout,
                       "no helper thread was free in time to connect to the " + last.server);
    return refused(errc::connect_timeout,
                   "no answer from the " + last.server + " in time, while " + last.stage);
}

connect_result ended(attempt& self)
{
    if (self.now.status != PGRES_POLLING_OK) {
        return refused(self.now.out_of_time ? errc::connect_timeout : errc::connect_failed,
                       self.message);
    }
    connect_result result;
    result.connection = std::move(self.done);
    return result;
}

}  // namespace

asio::awaitable<connect_result> connect(asio::io_context& loop,
                                        asio::thread_pool& blocking,
                                        connect_options options,
                                        std::chrono::steady_clock::time_point deadline)
{
    if (const auto problem = conninfo_problem(options); !problem.empty())
        co_return refused(errc::connect_failed, problem);
    progress last;  // as of the last step that ended: the helper may be busy with the next
    last.server = describe_target(options);
    const auto self = std::make_shared<attempt>(loop, std::move(options), deadline);
    const abandon_on_exit guard(*self);
    while (true) {
        post_step(loop, blocking, self);
        if (!co_await self->wake.wait(deadline))
            co_return timed_out(*self, last);
        if (self->now.status == PGRES_POLLING_OK || self->now.status == PGRES_POLLING_FAILED)
            co_return ended(*self);
        last = self->now;
        if (last.ready)
            continue;
        if (const auto failed = watch(self))
            co_return refused(errc::connect_failed,
                              "cannot wait for the " + last.server + ": " + failed.message());
        const bool answered = co_await self->wake.wait(std::min(deadline, last.host_until));
        unwatch(*self);
        if (!answered && clock::now() >= deadline)
            co_return timed_out(*self, last);
        self->give_up_host = !answered;
    }
}

void close(asio::thread_pool& blocking, opened connection)
{
    asio::post(blocking, [conn = std::move(connection.conn)]() mutable { conn.reset(); });
}

}  // namespace sluice::pg
