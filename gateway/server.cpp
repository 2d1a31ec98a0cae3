// gateway/server.cpp: start, signals, drain, end.
#include "gateway/server.hpp"

#include <csignal>
#include <future>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>

#include "gateway/context.hpp"
#include "gateway/http/server.hpp"
#include "gateway/learn_version.hpp"
#include "gateway/listener.hpp"
#include "gateway/log/log.hpp"
#include "gateway/worker.hpp"

namespace sluice::gateway {
namespace {

constexpr std::chrono::milliseconds drain_poll{20};
constexpr std::chrono::seconds goodbye_timeout{2};
constexpr std::chrono::seconds sqlite_grace{2};
constexpr std::chrono::seconds version_timeout{2};

// The first worker's: listeners, signals and the way to the end.
class server {
public:
    explicit server(const config& settings)
        : shared_(settings), signals_(first().io(), SIGINT, SIGTERM), drain_(first().io())
    {
    }

    int run();

private:
    worker& first() { return *shared_.workers.front(); }
    bool prepare();
    std::string prepare_rsa_key();
    void start_listening();
    asio::awaitable<void> start_listening_mysql();
    void listen(const endpoint& where, client_protocol protocol);
    void attach_control();
    void on_signal(int number);
    void end(shutdown_mode how);
    void begin_drain(std::chrono::milliseconds timeout);
    void wait_for_clients();
    void finish(int code);
    void wait_for_backends(int code);

    context shared_;
    asio::signal_set signals_;
    asio::steady_timer drain_;
    std::vector<std::unique_ptr<listener>> listeners_;
    std::unique_ptr<http_server> http_;
    std::chrono::steady_clock::time_point drain_deadline_;
    std::promise<int> ended_;
    bool draining_ = false;
    bool finished_ = false;
};

// What the admin console may ask for; answered on the first worker.
void server::attach_control()
{
    control::hooks hooks;
    hooks.reload = [](const auto& done) {
        reload_report none;
        none.errors.push_back("reloading is not possible yet");
        done(none);
    };
    hooks.shut_down = [this](shutdown_mode how) {
        asio::post(first().io(), [this, how] { end(how); });
    };
    shared_.control.attach(std::move(hooks));
}

bool server::prepare()
{
    const auto settings = shared_.settings();
    auto rules = std::make_shared<generation>(*settings, shared_.auth_secret);
    std::string error = rules->prepare();
    if (!error.empty()) {
        log::error("cannot start", {{"why", error}});
        return false;
    }
    if (error = shared_.files.open(*settings); !error.empty()) {
        log::error("cannot start", {{"why", error}});
        return false;
    }
    std::vector<asio::io_context*> loops;
    for (const auto& each : shared_.workers)
        loops.push_back(&each->io());
    shared_.files.admit(*settings, loops, shared_.scheduling);
    if (error = prepare_rsa_key(); !error.empty()) {
        log::error("cannot start", {{"why", error}});
        return false;
    }
    for (const auto& warning : rules->users.warnings())
        log::warn(warning);
    shared_.live.replace(std::move(rules));
    try {
        for (const auto& where : settings->listen.postgres)
            listen(where, client_protocol::postgres);
        for (const auto& where : settings->listen.mysql)
            listen(where, client_protocol::mysql);
        if (const auto& where = settings->listen.http) {
            http_ = std::make_unique<http_server>(
                shared_, *where, settings->listen.http_token.reveal());
            log::info("listening", {{"protocol", "http"}, {"address", http_->address()}});
        }
    } catch (const std::exception& failed) {
        log::error("cannot start", {{"why", failed.what()}});
        return false;
    }
    return true;
}

// For MySQL clients only.
std::string server::prepare_rsa_key()
{
    const auto snapshot = shared_.settings();
    const auto& settings = *snapshot;
    if (settings.listen.mysql.empty() || settings.auth.method == auth_method::trust)
        return {};
    if (!settings.auth.rsa_key_file.empty())
        return shared_.rsa.load(settings.auth.rsa_key_file);
    // Before anybody may connect: after a restart all clients come at once, and those that need the
    // key would be told that their password is wrong.
    if (const auto why = shared_.rsa.generate(); !why.empty())
        log::warn(why);
    return {};
}

void server::listen(const endpoint& where, client_protocol protocol)
{
    listeners_.push_back(std::make_unique<listener>(shared_, first().io(), where, protocol));
    log::info("listening",
              {{"protocol", protocol == client_protocol::postgres ? "postgres" : "mysql"},
               {"address", listeners_.back()->address()}});
}

void server::start_listening()
{
    const bool wait = must_learn_version(shared_);
    for (auto& each : listeners_) {
        if (each->protocol() == client_protocol::postgres || !wait)
            each->start();
    }
    if (wait)
        asio::co_spawn(first().io(), start_listening_mysql(), asio::detached);
}

// The first thing a MySQL client is told is the server's version. Until it is known clients wait in
// the kernel's queue, but not for long.
asio::awaitable<void> server::start_listening_mysql()
{
    co_await learn_mysql_version(shared_, first().io(), version_timeout);
    for (auto& each : listeners_) {
        if (each->protocol() == client_protocol::mysql && !draining_)
            each->start();
    }
}

int server::run()
{
    std::signal(SIGPIPE, SIG_IGN);
    if (!prepare())
        return 1;
    attach_control();
    signals_.async_wait([this](const asio::error_code& ec, int number) {
        if (!ec)
            on_signal(number);
    });
    start_listening();
    for (auto& each : shared_.workers)
        each->start();
    shared_.control.set_state(run_state::serving);
    log::info(
        "ready",
        {{"workers", shared_.workers.size()}, {"databases", shared_.settings()->databases.size()}});
    const int code = ended_.get_future().get();
    http_.reset();  // it asks the workers
    for (auto& each : shared_.workers)
        each->post_stop();
    for (auto& each : shared_.workers)
        each->join();
    shared_.files.close(sqlite_grace);
    shared_.blocking.join();
    log::info("stopped", {{"code", code}});
    return code;
}

void server::on_signal(int number)
{
    signals_.async_wait([this](const asio::error_code& ec, int next) {
        if (!ec)
            on_signal(next);
    });
    end(number == SIGINT ? shutdown_mode::immediate : shutdown_mode::wait_for_clients);
}

void server::end(shutdown_mode how)
{
    if (how == shutdown_mode::immediate || draining_)
        begin_drain(std::chrono::milliseconds{0});
    else
        begin_drain(shared_.settings()->gateway.drain_timeout);
}

void server::begin_drain(std::chrono::milliseconds timeout)
{
    if (!draining_)
        log::info("shutting down", {{"drain_timeout_ms", timeout.count()}});
    drain_deadline_ = std::chrono::steady_clock::now() + timeout;
    for (auto& each : listeners_)
        each->stop();
    if (!draining_ && timeout.count() > 0) {
        for (auto& each : shared_.workers)
            each->post_drain();
    }
    draining_ = true;
    shared_.control.set_state(run_state::draining);
    wait_for_clients();
}

void server::wait_for_clients()
{
    std::size_t clients = 0;
    for (const auto& each : shared_.workers)
        clients += each->clients();
    if (clients == 0) {
        finish(0);
        return;
    }
    if (std::chrono::steady_clock::now() >= drain_deadline_) {
        log::warn("clients cut off", {{"clients", clients}});
        for (auto& each : shared_.workers)
            each->post_close_clients();
        // Their sessions end in the turn after; so does the wait.
        drain_deadline_ += std::chrono::seconds(5);
    }
    drain_.expires_after(drain_poll);
    drain_.async_wait([this](const asio::error_code& ec) {
        if (!ec)
            wait_for_clients();
    });
}

void server::finish(int code)
{
    if (finished_)
        return;
    finished_ = true;
    shared_.databases.close_all();
    drain_deadline_ = std::chrono::steady_clock::now() + goodbye_timeout;
    wait_for_backends(code);
}

// The servers hear a goodbye from each connection, if they listen.
void server::wait_for_backends(int code)
{
    if (shared_.databases.open_backends() == 0 ||
        std::chrono::steady_clock::now() >= drain_deadline_) {
        ended_.set_value(code);
        return;
    }
    drain_.expires_after(drain_poll);
    drain_.async_wait([this, code](const asio::error_code& ec) {
        if (!ec)
            wait_for_backends(code);
    });
}

}  // namespace

int run_gateway(const config& settings)
{
    server running(settings);
    return running.run();
}

}  // namespace sluice::gateway
