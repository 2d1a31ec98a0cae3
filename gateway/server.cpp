// gateway/server.cpp: start, signals, drain, takeover, end.
#include "gateway/server.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <future>
#include <mutex>
#include <thread>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <sys/wait.h>

#include "gateway/context.hpp"
#include "gateway/drain.hpp"
#include "gateway/http/server.hpp"
#include "gateway/learn_version.hpp"
#include "gateway/listener_set.hpp"
#include "gateway/log/log.hpp"
#include "gateway/loop_watch.hpp"
#include "gateway/reload.hpp"
#include "gateway/service_manager.hpp"
#include "gateway/takeover/incumbent.hpp"
#include "gateway/takeover/start_successor.hpp"
#include "gateway/worker.hpp"

namespace sluice::gateway {
namespace {

// A process that was killed just now lets go of its sockets and files one after the other.
constexpr std::chrono::seconds dying_most{2};
constexpr std::chrono::milliseconds drain_patience{1000};
constexpr std::chrono::seconds sqlite_grace{2};
constexpr std::chrono::seconds version_timeout{2};
// Of client ids, for those that come to the process before us until it accepts no more.
constexpr std::uint64_t ids_between = 1'000'000;
constexpr std::uint64_t ids_end = 0xffff'ffff;

// The first worker's: listeners, signals and the way to the end.
class server {
public:
    explicit server(const config& settings)
        : shared_(settings),
          signals_(first().io(), SIGINT, SIGTERM, SIGHUP),
          drain_(shared_, first().io(), [this] { drained(); }),
          listeners_(shared_, first().io()),
          reloader_(shared_, first().io(), listeners_),
          watch_(shared_, manager_, first().io()),
          incumbent_(shared_, first().io(), takeover_hooks())
    {
        signals_.add(SIGUSR2);
        signals_.add(SIGCHLD);
    }

    int run(bool takeover);

private:
    using clock = std::chrono::steady_clock;

    worker& first() { return *shared_.workers.front(); }
    bool prepare(bool takeover);
    bool inherit();
    std::string open_files(const config& settings, bool takeover);
    void open_http();
    void open_http_after_another();
    void start_http();
    std::string prepare_rsa_key();
    void attach_control();
    takeover::incumbent::hooks takeover_hooks();
    void reload(const reloader::reload_done& done);
    void start_listening();
    asio::awaitable<void> start_listening_mysql();
    void wait_for_signal();
    void on_signal(int number);
    void start_successor();
    void successor_ended();
    void end(shutdown_mode how);
    void begin_drain(std::chrono::milliseconds timeout, std::chrono::milliseconds patience);
    void drained();

    service_manager manager_;
    context shared_;
    asio::signal_set signals_;
    drain drain_;
    listener_set listeners_;
    reloader reloader_;
    loop_watch watch_;
    takeover::incumbent incumbent_;
    std::vector<inherited_socket> inherited_;
    bool took_over_ = false;
    std::mutex http_mutex_;  // the main thread opens it, the first worker may give it up
    std::unique_ptr<http_server> http_;
    const std::string program_ = takeover::own_program();
    pid_t successor_ = 0;  // one that was started here and has not ended
    std::promise<int> ended_;
};

// The sockets that systemd, or the process before us, listens at already.
bool server::inherit()
{
    auto got = shared_.takeover.begin(shared_.settings()->control_socket_of());
    if (!got.error.empty()) {
        log::error("cannot take over", {{"why", got.error}});
        return false;
    }
    took_over_ = got.took_over;
    for (auto& each : got.sockets)
        inherited_.push_back(std::move(each));
    if (!got.mysql_version.empty())
        shared_.mysql_version.learn(got.mysql_version);
    if (took_over_ && got.ids + ids_between < ids_end) {
        for (auto& each : shared_.workers)
            each->use_ids_after(got.ids + ids_between);
    }
    return true;
}

bool server::prepare(bool takeover)
{
    inherited_ = sockets_of_service_manager();
    if (takeover && !inherit())
        return false;
    const auto settings = shared_.settings();
    auto rules = std::make_shared<generation>(*settings, shared_.auth_secret);
    std::string error = rules->prepare();
    if (error.empty())
        error = open_files(*settings, takeover);
    if (error.empty())
        error = prepare_rsa_key();
    std::vector<asio::io_context*> loops;
    for (const auto& each : shared_.workers)
        loops.push_back(&each->io());
    shared_.files.admit(*settings, std::move(loops), shared_.scheduling);
    if (!error.empty()) {
        log::error("cannot start", {{"why", error}});
        return false;
    }
    for (const auto& warning : rules->users.warnings())
        log::warn(warning);
    shared_.live.replace(std::move(rules));
    try {
        listeners_.open(settings->listen, inherited_, takeover ? dying_most : clock::duration{});
        if (!took_over_)
            open_http();
    } catch (const std::exception& failed) {
        log::error("cannot start", {{"why", failed.what()}});
        return false;
    }
    return true;
}

void server::open_http()
{
    const auto settings = shared_.settings();
    const auto& where = settings->listen.http;
    if (!where)
        return;
    auto made =
        std::make_unique<http_server>(shared_, *where, settings->listen.http_token.reveal());
    log::info("listening", {{"protocol", "http"}, {"address", made->address()}});
    const std::scoped_lock lock(http_mutex_);
    http_ = std::move(made);
}

void server::start_http()
{
    const std::scoped_lock lock(http_mutex_);
    if (http_)
        http_->start();
}

// The process before us has let go of the address just now.
void server::open_http_after_another()
{
    const auto until = clock::now() + dying_most;
    for (;;) {
        try {
            return open_http();
        } catch (const std::exception& failed) {
            if (clock::now() >= until)
                return log::error("no dashboard, metrics and health checks",
                                  {{"why", failed.what()}});
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
}

std::string server::open_files(const config& settings, bool takeover)
{
    const auto until = clock::now() + dying_most;
    for (;;) {
        auto error = shared_.files.open(settings, took_over_);
        if (error.empty() || !takeover || took_over_ || clock::now() >= until)
            return error;
        shared_.files.close(std::chrono::milliseconds{0});
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
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

// What consoles may ask for; done on the first worker.
void server::attach_control()
{
    control::hooks hooks;
    hooks.reload = [this](const auto& done) { reload(done); };
    hooks.change = [this](setting wanted, const auto& done) {
        reloader_.change(std::move(wanted), done);
    };
    hooks.shut_down = [this](shutdown_mode how) {
        asio::post(first().io(), [this, how] { end(how); });
    };
    shared_.control.attach(std::move(hooks));
}

void server::reload(const reloader::reload_done& done)
{
    manager_.reloading();
    reloader_.run([this, done](const reload_report& report) {
        manager_.ready(false);
        if (done)
            done(report);
    });
}

takeover::incumbent::hooks server::takeover_hooks()
{
    takeover::incumbent::hooks calls;
    calls.sockets = [this] { return listeners_.sockets(); };
    calls.busy = [this] { return drain_.begun(); };
    calls.give_up = [this](std::uint64_t pid) {
        // What the other process says of itself counts from here on, and this one's end does not.
        manager_.now_served_by(pid);
        watch_.stop();
        listeners_.hand_over();
        const std::scoped_lock lock(http_mutex_);
        if (http_)
            asio::post(shared_.blocking, [gone = std::shared_ptr(std::move(http_))] {});
        // Later: a process without clients would be gone before the other one has its answer.
        asio::post(first().io(), [this] {
            const auto timeout = shared_.settings()->gateway.drain_timeout;
            begin_drain(timeout, timeout / 2);
        });
    };
    return calls;
}

void server::start_listening()
{
    listeners_.start(client_protocol::postgres);
    if (must_learn_version(shared_))
        asio::co_spawn(first().io(), start_listening_mysql(), asio::detached);
    else
        listeners_.start(client_protocol::mysql);
}

// The first thing a MySQL client is told is the server's version. Until it is known clients wait in
// the kernel's queue, but not for long.
asio::awaitable<void> server::start_listening_mysql()
{
    co_await learn_mysql_version(shared_, first().io(), version_timeout);
    if (!drain_.begun())
        listeners_.start(client_protocol::mysql);
}

int server::run(bool takeover)
{
    std::signal(SIGPIPE, SIG_IGN);
    if (!prepare(takeover))
        return 1;
    attach_control();
    wait_for_signal();
    // From here on the process before us accepts nobody, and clients wait in the sockets' queues.
    shared_.takeover.ready();
    const endpoint control{"", 0, shared_.settings()->control_socket_of()};
    incumbent_.listen(control.unix_path, take_socket(inherited_, "control", control));
    close_sockets(inherited_);
    shared_.takeover.attach(first().io());
    // Nobody is served, or told how things stand, before this: who reaches a listener or asks
    // /readyz has waited for it in the socket's queue. From here on a signal may end it.
    shared_.control.set_state(run_state::serving);
    start_listening();
    watch_.start();
    for (auto& each : shared_.workers)
        each->start();
    if (took_over_)
        open_http_after_another();
    start_http();
    manager_.ready(took_over_);
    log::info("ready",
              {{"workers", shared_.workers.size()},
               {"databases", shared_.settings()->databases.size()},
               {"took_over", took_over_}});
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

void server::wait_for_signal()
{
    signals_.async_wait([this](const asio::error_code& ec, int number) {
        if (ec)
            return;
        wait_for_signal();
        on_signal(number);
    });
}

void server::on_signal(int number)
{
    if (number == SIGHUP)
        reload({});
    else if (number == SIGUSR2)
        start_successor();
    else if (number == SIGCHLD)
        successor_ended();
    else
        end(number == SIGINT ? shutdown_mode::immediate : shutdown_mode::wait_for_clients);
}

// It takes over when it is ready; until then this process serves.
void server::start_successor()
{
    if (drain_.begun() || successor_ > 0)
        return log::warn("no process is started to take over",
                         {{"why", drain_.begun() ? "this one is leaving" : "one is starting"}});
    const auto settings = shared_.settings();
    successor_ = takeover::start_successor(program_, settings->file, manager_.variables());
    if (successor_ > 0)
        log::info("a process is started to take over",
                  {{"pid", successor_}, {"program", program_}});
    else
        log::error("no process can be started to take over",
                   {{"program", program_}, {"why", std::strerror(errno)}});
}

void server::successor_ended()
{
    int status = 0;
    if (successor_ <= 0 || ::waitpid(successor_, &status, WNOHANG) != successor_)
        return;
    successor_ = 0;
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    log::error("the process that was to take over has ended", {{"code", code}});
}

void server::end(shutdown_mode how)
{
    if (!drain_.begun())
        manager_.stopping();
    if (how == shutdown_mode::immediate || drain_.begun())
        return begin_drain(std::chrono::milliseconds{0}, std::chrono::milliseconds{0});
    const auto timeout = shared_.settings()->gateway.drain_timeout;
    begin_drain(timeout, std::min(timeout / 4, drain_patience));
}

// Who pauses between statements has `patience` to leave by itself, or to be idle for a moment.
void server::begin_drain(std::chrono::milliseconds timeout, std::chrono::milliseconds patience)
{
    incumbent_.refuse();
    listeners_.stop();
    reloader_.stop();
    drain_.begin(timeout, patience);
}

void server::drained()
{
    watch_.stop();
    incumbent_.stop();
    shared_.takeover.stop();
    ended_.set_value(0);
}

}  // namespace

int run_gateway(const config& settings, bool takeover)
{
    server running(settings);
    return running.run(takeover);
}

}  // namespace sluice::gateway
