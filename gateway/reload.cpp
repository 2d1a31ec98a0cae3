// gateway/reload.cpp: a configuration file read anew, and what of it a running gateway takes over.
#include "gateway/reload.hpp"

#include <exception>
#include <thread>
#include <utility>

#include <asio/post.hpp>
#include <openssl/x509.h>

#include "gateway/config/diff.hpp"
#include "gateway/config/load.hpp"
#include "gateway/log/log.hpp"
#include "gateway/worker.hpp"

namespace sluice::gateway {
namespace {

constexpr std::chrono::milliseconds look_interval{500};
// Logins that had begun before a reload are over then, or know the new file.
constexpr int looks_least = 4;
constexpr std::size_t waiting_max = 64;
constexpr std::chrono::seconds close_most{3};

bool same_certificate(const generation& before, const generation& after)
{
    if (!before.tls || !after.tls)
        return true;
    const X509* was = SSL_CTX_get0_certificate(before.tls.get());
    const X509* is = SSL_CTX_get0_certificate(after.tls.get());
    return was && is && X509_cmp(was, is) == 0;
}

}  // namespace

reloader::reloader(context& shared, asio::io_context& first, listener_set& listeners)
    : shared_(shared), first_(first), listeners_(listeners), again_(first)
{
}

void reloader::run(reload_done done)
{
    auto next = std::make_shared<attempt>();
    next->done = std::move(done);
    enqueue(std::move(next));
}

void reloader::change(setting wanted, reload_done done)
{
    auto next = std::make_shared<attempt>();
    next->done = std::move(done);
    next->wanted = std::move(wanted);
    enqueue(std::move(next));
}

void reloader::enqueue(attempt_ref next)
{
    asio::post(first_, [this, next = std::move(next)]() mutable {
        if (stopped_ || waiting_.size() >= waiting_max) {
            next->report.errors.push_back(stopped_
                                              ? "the gateway is shutting down: nothing is reloaded"
                                              : "too many reloads wait for their turn");
            if (next->done)
                next->done(next->report);
            return;
        }
        waiting_.push_back(std::move(next));
        start_next();
    });
}

void reloader::stop()
{
    stopped_ = true;
    again_.cancel();
}

void reloader::start_next()
{
    if (running_ || waiting_.empty())
        return;
    running_ = true;
    attempt_ref now = std::move(waiting_.front());
    waiting_.erase(waiting_.begin());
    asio::post(shared_.blocking, [this, now] { load(now); });
}

void reloader::load(const attempt_ref& now)
{
    try {
        if (!(now->wanted ? load_setting(*now) : load_file(*now)))
            now->next = nullptr;
    } catch (const std::exception& failed) {
        now->report.errors.push_back(failed.what());
        now->next = nullptr;
    }
    asio::post(first_, [this, now] {
        if (stopped_)
            now->report.errors.push_back("the gateway is shutting down: nothing is reloaded");
        else if (now->next)
            apply(now);
        finish(now);
    });
}

bool reloader::load_file(attempt& now)
{
    now.before = shared_.settings();
    auto loaded = load_config(now.before->file);
    now.report.errors = std::move(loaded.errors);
    now.report.warnings = std::move(loaded.warnings);
    if (!now.report.errors.empty())
        return false;
    for (auto& each : differences(*now.before, loaded.settings))
        (each.restart ? now.report.needs_restart : now.report.changes)
            .push_back(std::move(each.text));
    return prepare(now, effective(*now.before, std::move(loaded.settings)));
}

bool reloader::load_setting(attempt& now)
{
    now.before = shared_.settings();
    config next = *now.before;
    if (auto why = sluice::gateway::change(next, *now.wanted); !why.message.empty()) {
        now.report.errors.push_back(std::move(why.message));
        now.report.hint = std::move(why.hint);
        return false;
    }
    // change() took nothing that needs a restart.
    for (auto& each : differences(*now.before, next)) {
        if (each.text.ends_with(": added"))  // a tenant's table, with the default's limits
            each.text += ", " + now.wanted->name() + " = " + now.wanted->value;
        now.report.changes.push_back(std::move(each.text));
    }
    const bool good = prepare(now, next);
    now.report.warnings.clear();  // they were said when the file was loaded
    return good;
}

bool reloader::prepare(attempt& now, const config& wanted)
{
    const auto failed = [&](std::string why) {
        if (why.empty())
            return false;
        now.report.errors.push_back(std::move(why));
        return true;
    };
    auto made = std::make_shared<generation>(wanted, shared_.auth_secret);
    made->number = shared_.current()->number + 1;
    if (failed(made->prepare()))
        return false;
    for (const auto& warning : made->users.warnings())
        now.report.warnings.push_back(warning);
    const bool mysql = !wanted.listen.mysql.empty() && wanted.auth.method != auth_method::trust;
    if (mysql && !shared_.rsa.get() && wanted.auth.rsa_key_file.empty()) {
        if (auto why = shared_.rsa.generate(); !why.empty())
            now.report.warnings.push_back(std::move(why));
    }
    if (failed(open_files(wanted)))
        return false;
    if (!same_certificate(*shared_.current(), *made))
        now.report.changes.push_back("listen.tls: another certificate");
    now.next = std::move(made);
    return true;
}

// A file that was removed just now may be wanted again before its clients have left.
std::string reloader::open_files(const config& wanted)
{
    const auto until = std::chrono::steady_clock::now() + close_most;
    for (;;) {
        auto why = shared_.files.prepare(wanted);
        if (why.empty() || files_closing_.load() == 0)
            return why;
        if (std::chrono::steady_clock::now() >= until)
            return why +
                   " (clients that it had before it was removed have not left yet: try again)";
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
}

// On the first worker. Nothing that is behind the listeners can fail.
void reloader::apply(const attempt_ref& now)
{
    const config& settings = now->next->settings;
    try {
        listeners_.prepare(settings.listen);
    } catch (const std::exception& failed) {
        now->report.errors.push_back(failed.what());
        return;
    }
    if (auto why = log::change(settings.gateway.log); !why.empty()) {
        listeners_.forget_prepared();
        now->report.errors.push_back(std::move(why));
        return;
    }
    log::reopen();
    shared_.live.replace(now->next);
    shared_.tenants.apply(settings.tenants);
    auto leave = shared_.databases.apply(*now->next);
    for (auto& [name, file] : shared_.files.commit(settings)) {
        leave.insert(name);
        closing_.push_back(std::move(file));
        files_closing_.fetch_add(1);
    }
    listeners_.commit(settings.listen);
    drain_clients_of(leave);
}

void reloader::finish(const attempt_ref& now)
{
    running_ = false;
    auto& report = now->report;
    if (!report.ok()) {
        report.changes.clear();
        report.needs_restart.clear();
        shared_.files.forget_prepared();
        for (const auto& each : report.errors)
            log::error(now->wanted ? "setting not changed"
                                   : "configuration not loaded, nothing has changed",
                       {{"error", each}});
    }
    for (const auto& each : report.warnings)
        log::warn("configuration", {{"warning", each}});
    for (const auto& each : report.changes)
        log::info("configuration changed", {{"change", each}});
    for (const auto& each : report.needs_restart)
        log::warn("configuration changed, in effect after a restart", {{"change", each}});
    if (report.ok() && now->wanted)
        log::info("setting changed until the next reload or restart",
                  {{"setting", now->wanted->name()}, {"changes", report.changes.size()}});
    else if (report.ok())
        log::info(
            "configuration loaded",
            {{"changes", report.changes.size()}, {"needs_restart", report.needs_restart.size()}});
    if (now->done)
        now->done(report);
    start_next();
}

void reloader::drain_clients_of(const std::set<std::string>& names)
{
    const auto now = shared_.current();
    for (const auto& name : names)
        leaving_[name] = now->number;
    if (!leaving_.empty())
        leave_until_ = std::chrono::steady_clock::now() + now->settings.gateway.drain_timeout;
    for (const auto& each : shared_.workers)
        each->post_drain_databases(leaving_);
    looks_ = 0;
    look_again();
}

// A login that began with the old file may have made a pool, or a client, that the new one has not.
void reloader::look_again()
{
    again_.expires_after(look_interval);
    again_.async_wait([this](const asio::error_code& ec) {
        if (ec || stopped_)
            return;
        const auto now = shared_.current();
        for (const auto& name : shared_.databases.apply(*now))
            leaving_[name] = now->number;
        const bool over = std::chrono::steady_clock::now() >= leave_until_;
        for (const auto& each : shared_.workers) {
            each->post_drain_databases(leaving_);
            if (over)
                each->post_close_leaving();
        }
        std::erase_if(closing_, [&](auto& file) {
            if (!over && file.use_count() > 1)
                return false;
            asio::post(shared_.blocking,
                       [&left = files_closing_, last = std::move(file)]() mutable {
                           last->close(std::chrono::milliseconds(0));
                           last.reset();
                           left.fetch_sub(1);
                       });
            return true;
        });
        if (++looks_ >= looks_least && over && closing_.empty())
            leaving_.clear();
        else
            look_again();
    });
}

}  // namespace sluice::gateway
