// gateway/http/server.cpp: routes.
#include "gateway/http/server.hpp"

#include <condition_variable>
#include <mutex>
#include <queue>
#include <stdexcept>
#include <vector>

#include <httplib.h>
#include <nlohmann/json.hpp>

#include "gateway/context.hpp"
#include "gateway/http/access.hpp"
#include "gateway/http/metrics.hpp"
#include "gateway/http/page.hpp"
#include "gateway/http/state.hpp"
#include "gateway/log/log.hpp"
#include "proto/pg/login.hpp"

namespace sluice::gateway {
namespace {

constexpr std::size_t threads = 4;
constexpr std::size_t queue_max = 64;
constexpr std::size_t request_max = 16 * 1024;
constexpr std::chrono::seconds io_timeout{5};
constexpr std::chrono::milliseconds wrong_password_pause{300};
constexpr const char* cookie_name = "sluice";

// Takes connections while there is room; past it the listener waits, and the kernel's queue fills.
class bounded_pool final : public httplib::TaskQueue {
public:
    bounded_pool()
    {
        for (std::size_t i = 0; i < threads; ++i)
            workers_.emplace_back([this] { run(); });
    }
    void enqueue(std::function<void()> job) override
    {
        std::unique_lock lock(mutex_);
        room_.wait(lock, [this] { return jobs_.size() < queue_max || ended_; });
        jobs_.push(std::move(job));
        more_.notify_one();
    }
    void shutdown() override
    {
        {
            const std::scoped_lock lock(mutex_);
            ended_ = true;
        }
        more_.notify_all();
        room_.notify_all();
        for (auto& each : workers_)
            each.join();
    }

private:
    void run()
    {
        for (;;) {
            std::unique_lock lock(mutex_);
            more_.wait(lock, [this] { return !jobs_.empty() || ended_; });
            if (jobs_.empty())
                return;
            const auto job = std::move(jobs_.front());
            jobs_.pop();
            room_.notify_one();
            lock.unlock();
            job();
        }
    }

    std::mutex mutex_;
    std::condition_variable more_;
    std::condition_variable room_;
    std::queue<std::function<void()>> jobs_;
    bool ended_ = false;
    std::vector<std::thread> workers_;
};

// The page's scripts and styles are in it: nothing may come from anywhere else.
constexpr const char* content_policy =
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

constexpr const char* html = "text/html; charset=utf-8";
constexpr const char* json_type = "application/json";

}  // namespace

struct http_server::inside {
    inside(context& all, std::string token, std::string host)
        : shared(all), access(std::move(token), std::move(host))
    {
    }

    void add_routes();
    void add_sessions();
    void add_actions();
    http_access::visitor visitor_of(const httplib::Request& request);
    bool may_look(const httplib::Request& request, httplib::Response& answer);
    void log_in(const httplib::Request& request, httplib::Response& answer);
    std::string admin_of(const std::string& name, const std::string& password) const;
    void act(const httplib::Request& request, httplib::Response& answer, bool pause);
    std::string state_now();

    context& shared;
    http_access access;
    httplib::Server server;
    std::mutex state_mutex;
    std::condition_variable state_made;
    std::string state;
    std::uint64_t looks_begun = 0;
    std::uint64_t look_shown = 0;  // `state` is of this one
    bool looking = false;
};

http_access::visitor http_server::inside::visitor_of(const httplib::Request& request)
{
    const auto authorization = request.get_header_value("Authorization");
    const auto cookies = request.get_header_value("Cookie");
    const auto host = request.get_header_value("Host");
    http_access::request asking;
    asking.authorization = authorization;
    asking.cookie = cookie_value(cookies, cookie_name);
    asking.host = host;
    asking.remote = request.remote_addr;
    return access.who(asking, http_access::clock::now());
}

bool http_server::inside::may_look(const httplib::Request& request, httplib::Response& answer)
{
    if (visitor_of(request).may_look)
        return true;
    answer.status = access.has_token() ? 401 : 403;
    if (access.has_token())
        answer.set_header("WWW-Authenticate", "Bearer");
    answer.set_content(access.has_token()
                           ? "listen.http_token is needed: \"Authorization: Bearer TOKEN\"\n"
                           : "without listen.http_token only a loopback address may be asked\n",
                       "text/plain");
    return false;
}

// One look at a time, however many ask; whoever comes meanwhile shares the next one, for what is
// shown is never older than the question.
std::string http_server::inside::state_now()
{
    std::unique_lock lock(state_mutex);
    const auto wanted = looks_begun + 1;
    while (look_shown < wanted) {
        if (looking) {
            state_made.wait(lock);
            continue;
        }
        looking = true;
        const auto mine = ++looks_begun;
        lock.unlock();
        auto made = state_json(shared);
        lock.lock();
        state = std::move(made);
        look_shown = mine;
        looking = false;
        state_made.notify_all();
    }
    return state;
}

void http_server::inside::add_routes()
{
    server.Get("/healthz", [](const httplib::Request&, httplib::Response& answer) {
        answer.set_content("ok\n", "text/plain");
    });
    server.Get("/readyz", [this](const httplib::Request& request, httplib::Response& answer) {
        const auto now = readiness_of(shared);
        answer.status = now.ready ? 200 : 503;
        // Why is for those who may look: it names databases.
        if (visitor_of(request).may_look)
            answer.set_content(now.json, json_type);
        else
            answer.set_content(now.ready ? "{\"ready\":true}\n" : "{\"ready\":false}\n", json_type);
    });
    server.Get("/metrics", [this](const httplib::Request& request, httplib::Response& answer) {
        if (may_look(request, answer))
            answer.set_content(metrics_text(shared), "text/plain; version=0.0.4; charset=utf-8");
    });
    server.Get("/api/v1/state", [this](const httplib::Request& request, httplib::Response& answer) {
        if (may_look(request, answer))
            answer.set_content(state_now(), json_type);
    });
    server.Get("/api/v1/statements",
               [this](const httplib::Request& request, httplib::Response& answer) {
                   if (may_look(request, answer))
                       answer.set_content(statements_json(shared), json_type);
               });
    server.Get("/", [this](const httplib::Request& request, httplib::Response& answer) {
        if (visitor_of(request).may_look) {
            answer.set_content(dashboard_page.data(), dashboard_page.size(), html);
        } else if (access.has_token()) {
            answer.status = 401;
            answer.set_content(login_page.data(), login_page.size(), html);
        } else {
            may_look(request, answer);
        }
    });
}

void http_server::inside::log_in(const httplib::Request& request, httplib::Response& answer)
{
    const auto user = request.get_param_value("user");
    bool good = access.is_token(request.get_param_value("token"));
    std::string admin;
    if (!good && !user.empty()) {
        admin = admin_of(user, request.get_param_value("password"));
        good = !admin.empty();
    }
    if (!good) {
        std::this_thread::sleep_for(wrong_password_pause);
        log::warn("HTTP login failed", {{"peer", request.remote_addr}, {"user", user}});
        answer.status = 401;
        answer.set_content("wrong token, or no admin user of this password\n", "text/plain");
        return;
    }
    const auto cookie = access.begin(admin, http_access::clock::now());
    log::info("HTTP login", {{"peer", request.remote_addr}, {"user", admin}});
    answer.set_header("Set-Cookie",
                      std::string(cookie_name) + "=" + cookie +
                          "; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200");
    answer.set_redirect("/", 303);
}

// The user's name, if it is an admin's and the password is right. Takes the same time if not.
std::string http_server::inside::admin_of(const std::string& name,
                                          const std::string& password) const
{
    const auto rules = shared.current();
    const bool right = pg::password_matches(rules->users.credentials_for(name), name, password);
    const auto* who = rules->settings.find_user(name);
    return right && who && who->admin ? name : std::string();
}

void http_server::inside::add_sessions()
{
    server.Post("/login", [this](const httplib::Request& request, httplib::Response& answer) {
        // Without a token this is not the way in, but still only for pages from here.
        if (!access.has_token() && !may_look(request, answer))
            return;
        log_in(request, answer);
    });
    server.Post("/logout", [this](const httplib::Request& request, httplib::Response& answer) {
        const auto cookies = request.get_header_value("Cookie");
        access.end(cookie_value(cookies, cookie_name));
        answer.set_redirect("/", 303);
    });
    server.Get(
        "/api/v1/session", [this](const httplib::Request& request, httplib::Response& answer) {
            if (!may_look(request, answer))
                return;
            const auto who = visitor_of(request);
            const nlohmann::json all = {{"admin", who.admin}, {"word", who.word}};
            answer.set_content(all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
                               json_type);
        });
}

void http_server::inside::act(const httplib::Request& request,
                              httplib::Response& answer,
                              bool pause)
{
    if (!may_look(request, answer))
        return;
    const auto who = visitor_of(request);
    if (who.admin.empty() || request.get_header_value("X-Sluice-Word") != who.word) {
        answer.status = 403;
        answer.set_content("only admin users may do that\n", "text/plain");
        return;
    }
    const auto database = request.get_param_value("database");
    if (!shared.operations.known(database)) {
        answer.status = 404;
        answer.set_content("there is no such database\n", "text/plain");
        return;
    }
    log::info(pause ? "pause" : "resume",
              {{"database", database}, {"user", who.admin}, {"peer", request.remote_addr}});
    if (pause)
        shared.operations.pause(database);
    else
        shared.operations.resume(database);
    answer.set_content("{\"done\":true}\n", json_type);
}

void http_server::inside::add_actions()
{
    server.Post("/api/v1/pause",
                [this](const httplib::Request& request, httplib::Response& answer) {
                    act(request, answer, true);
                });
    server.Post("/api/v1/resume",
                [this](const httplib::Request& request, httplib::Response& answer) {
                    act(request, answer, false);
                });
}

http_server::http_server(context& shared, const endpoint& where, const std::string& token)
    : inside_(std::make_unique<inside>(shared, token, where.host))
{
    auto& server = inside_->server;
    server.new_task_queue = [] { return new bounded_pool; };  // the server's own
    server.set_keep_alive_max_count(1);
    server.set_read_timeout(io_timeout);
    server.set_write_timeout(io_timeout);
    server.set_payload_max_length(request_max);
    server.set_tcp_nodelay(true);
    server.set_default_headers({{"Content-Security-Policy", content_policy},
                                {"X-Content-Type-Options", "nosniff"},
                                {"Referrer-Policy", "no-referrer"},
                                {"Cache-Control", "no-store"}});
    server.set_exception_handler(
        [](const httplib::Request& request, httplib::Response& answer, std::exception_ptr failed) {
            try {
                std::rethrow_exception(failed);
            } catch (const std::exception& error) {
                log::error("HTTP request failed", {{"path", request.path}, {"why", error.what()}});
            }
            answer.status = 500;
        });
    inside_->add_routes();
    inside_->add_sessions();
    inside_->add_actions();
    const std::string host = where.host.empty() ? "0.0.0.0" : where.host;
    int port = where.port;
    if (port == 0)
        port = server.bind_to_any_port(host);
    else if (!server.bind_to_port(host, port))
        port = -1;
    if (port <= 0)
        throw std::runtime_error("cannot listen on " + where.text() + " (listen.http)");
    endpoint bound = where;
    bound.port = static_cast<std::uint16_t>(port);
    address_ = bound.text();
}

void http_server::start()
{
    thread_ = std::thread([this] { inside_->server.listen_after_bind(); });
    // stop() does nothing to a server that does not run yet.
    while (!inside_->server.is_running())
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

http_server::~http_server()
{
    // Only one that runs closes its socket.
    if (!thread_.joinable())
        start();
    inside_->server.stop();
    thread_.join();
}

}  // namespace sluice::gateway
