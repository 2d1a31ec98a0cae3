// gateway/admin/console.cpp: running commands, and waiting for what takes a while.
#include "gateway/admin/console.hpp"

#include <algorithm>

#include <asio/post.hpp>

#include "gateway/admin/constants.hpp"
#include "gateway/admin/shows.hpp"
#include "gateway/config/near.hpp"
#include "gateway/context.hpp"
#include "gateway/log/log.hpp"

namespace sluice::gateway::admin {
namespace {

problem cancelled(std::string message)
{
    return {"57014", 1317, "70100", std::move(message), {}};
}

problem wrong(std::string message, std::string hint = {})
{
    return {"22023", 1231, "42000", std::move(message), std::move(hint)};
}

answer changed(const reload_report& report, std::string tag)
{
    answer made;
    made.tag = std::move(tag);
    made.columns = {{"kind", false}, {"change", false}};
    const auto add = [&](std::string_view kind, const std::vector<std::string>& lines) {
        for (const auto& each : lines)
            made.rows.push_back({std::string(kind), each});
    };
    add("changed", report.changes);
    add("needs a restart", report.needs_restart);
    add("warning", report.warnings);
    return made;
}

}  // namespace

bool is_console(const config& settings, std::string_view database) noexcept
{
    return (database == "sluice" || database == "pgbouncer") &&
           !settings.databases.contains(std::string(database));
}

bool may_enter(const user* who) noexcept
{
    return who && (who->admin || who->stats);
}

bool anybody_may_enter(const config& settings) noexcept
{
    return std::any_of(settings.users.begin(), settings.users.end(), [](const auto& each) {
        return may_enter(&each.second);
    });
}

console::console(context& shared, asio::io_context& io, std::string user)
    : shared_(shared), io_(io), user_(std::move(user)), timer_(io)
{
}

std::optional<problem> console::forbidden(const command& what) const
{
    const auto settings = settings_of(shared_);
    const auto* who = settings->find_user(user_);
    if (what.only_looks() ? may_enter(who) : who && who->admin)
        return std::nullopt;
    problem why{"42501", 1227, "42000", "user \"" + user_ + "\" may not use the console any more"};
    if (may_enter(who))
        why.message = "user \"" + user_ + "\" may look at the console, not change anything";
    why.hint = "Set admin = true in [users." + user_ + "].";
    return why;
}

void console::finish(answer made)
{
    ++turn_;
    waiting_ = waiting::no;
    // It may begin the next command.
    if (auto then = std::exchange(then_, nullptr))
        then(std::move(made));
}

void console::refuse(problem why)
{
    answer made;
    made.failure = std::move(why);
    finish(std::move(made));
}

void console::acknowledge(std::string tag)
{
    answer made;
    made.tag = std::move(tag);
    finish(std::move(made));
}

void console::run(const command& what, done then)
{
    then_ = std::move(then);
    if (what.what == verb::invalid)
        return refuse(what.wrong);
    if (auto why = forbidden(what))
        return refuse(std::move(*why));
    switch (what.what) {
        case verb::show:
        case verb::help:
            return show_topic(what.show);
        case verb::fixed:
        case verb::begin:
        case verb::end:
            return finish(what.reply);
        default:
            if (names_no_database(what) || shared_.operations.known(what.object))
                return act(what);
            std::vector<std::string_view> names;
            const auto settings = settings_of(shared_);
            for (const auto& [name, entry] : settings->databases)
                names.push_back(name);
            refuse(
                {"3D000",
                 1049,
                 "42000",
                 "there is no database \"" + what.object + "\"" + did_you_mean(what.object, names),
                 "SHOW DATABASES lists them."});
    }
}

// Its object is no database.
bool console::names_no_database(const command& what)
{
    return what.what == verb::set || what.what == verb::kill_client || what.what == verb::reload ||
           what.what == verb::shutdown;
}

void console::act(const command& what)
{
    auto& operations = shared_.operations;
    log::info("console command",
              {{"user", user_}, {"command", what.name}, {"object", what.object}});
    switch (what.what) {
        case verb::pause:
            return pause(what.object);
        case verb::resume:
            operations.resume(what.object);
            return acknowledge("RESUME");
        case verb::disable:
        case verb::enable:
            operations.set_disabled(what.object, what.what == verb::disable);
            return acknowledge(what.what == verb::disable ? "DISABLE" : "ENABLE");
        case verb::reconnect:
            operations.reconnect(what.object);
            return acknowledge("RECONNECT");
        case verb::kill:
            operations.kill(what.object);
            return acknowledge("KILL");
        case verb::kill_client:
            return kill_client(what.client);
        case verb::wait_close:
            return wait(waiting::close, what.object);
        case verb::reload:
            return reload();
        case verb::set:
            return set(what);
        case verb::shutdown:
            return shut_down(what.when_idle);
        default:
            return acknowledge("SHOW");
    }
}

void console::pause(const std::string& database)
{
    was_paused_ = shared_.operations.paused(database);
    shared_.operations.pause(database);
    wait(waiting::pause, database);
}

void console::wait(waiting what, const std::string& database)
{
    waiting_ = what;
    waits_for_ = database;
    look();
}

void console::look()
{
    auto& operations = shared_.operations;
    if (waiting_ == waiting::pause && !operations.paused(waits_for_))
        return refuse(cancelled("PAUSE was ended by a RESUME before it was complete"));
    const bool over = waiting_ == waiting::pause ? operations.busy(waits_for_) == 0
                                                 : operations.outdated(waits_for_) == 0;
    if (over)
        return acknowledge(waiting_ == waiting::pause ? "PAUSE" : "WAIT_CLOSE");
    timer_.expires_after(look_again);
    timer_.async_wait([weak = weak_from_this(), turn = turn_](const asio::error_code& ec) {
        const auto self = weak.lock();
        if (!ec && self && self->turn_ == turn)
            self->look();
    });
}

void console::take_back()
{
    if (waiting_ == waiting::pause && !was_paused_)
        shared_.operations.take_back(waits_for_);
}

std::string console::waits_for() const
{
    const auto where = waits_for_.empty() ? "all databases" : "database " + waits_for_;
    switch (waiting_) {
        case waiting::pause:
            return "PAUSE: requests and transactions of " + where;
        case waiting::close:
            return "WAIT_CLOSE: connections of " + where;
        case waiting::no:
            break;
    }
    return {};
}

void console::cancel()
{
    if (!then_)
        return;
    take_back();
    const bool paused = waiting_ == waiting::pause && !was_paused_;
    timer_.cancel();
    refuse(cancelled(paused ? "PAUSE was cancelled: clients go on"
                            : "canceling statement due to user request"));
}

void console::leave()
{
    if (then_)
        take_back();
    then_ = nullptr;
    ++turn_;
    waiting_ = waiting::no;
    timer_.cancel();
}

void console::kill_client(std::uint64_t id)
{
    const auto told = [weak = weak_from_this(), turn = turn_, id, &io = io_](bool found) {
        asio::post(io, [weak, turn, id, found] {
            const auto self = weak.lock();
            if (!self || self->turn_ != turn)
                return;
            if (found)
                return self->acknowledge("KILL_CLIENT");
            self->refuse({"42704",
                          1094,
                          "HY000",
                          "there is no client " + std::to_string(id),
                          "SHOW CLIENTS lists them."});
        });
    };
    shared_.operations.kill_client(id, told);
}

void console::reload()
{
    const auto told = [weak = weak_from_this(), turn = turn_](const reload_report& report) {
        if (const auto self = weak.lock(); self && self->turn_ == turn)
            self->reloaded(report);
    };
    shared_.control.reload(io_, told);
}

void console::reloaded(const reload_report& report)
{
    if (!report.ok()) {
        std::string all = "nothing was changed: the configuration is wrong";
        for (const auto& each : report.errors)
            all += "\n" + each;
        return refuse(
            {"F0000", 1105, "HY000", std::move(all), "Mend the file and say RELOAD again."});
    }
    finish(changed(report, "RELOAD"));
}

void console::set(const command& what)
{
    const auto told = [weak = weak_from_this(), turn = turn_](const reload_report& report) {
        if (const auto self = weak.lock(); self && self->turn_ == turn)
            self->was_set(report);
    };
    shared_.control.change({what.path, what.value}, io_, told);
}

void console::was_set(const reload_report& report)
{
    if (!report.ok())
        return refuse(wrong(report.errors.front(), report.hint));
    auto made = changed(report, "SET");
    if (report.changes.empty())
        made.rows.push_back({std::string("unchanged"), std::string("it has this value already")});
    else
        made.rows.push_back(
            {std::string("lasts"), std::string("until the next RELOAD or restart")});
    finish(std::move(made));
}

void console::shut_down(bool when_idle)
{
    const auto how = when_idle ? shutdown_mode::wait_for_clients : shutdown_mode::immediate;
    acknowledge("SHUTDOWN");
    // The answer goes out first.
    asio::post(io_, [&shared = shared_, how] { shared.control.shut_down(how); });
}

// Rows are made on a thread of their own: some of it takes longer than a loop may be kept busy, and
// the helper threads may all be waiting for the servers that somebody wants to know about.
void console::show_topic(topic what)
{
    const auto tell = [weak = weak_from_this(), turn = turn_, &io = io_](answer made) {
        auto carried = std::make_shared<answer>(std::move(made));
        asio::post(io, [weak, turn, carried] {
            const auto self = weak.lock();
            if (self && self->turn_ == turn)
                self->finish(std::move(*carried));
        });
    };
    const auto wanted = parts_for(what);
    if (!wanted) {
        asio::post(shared_.lookout,
                   [&shared = shared_, what, tell] { tell(show(shared, what, nullptr)); });
        return;
    }
    statistics::gather(shared_, *wanted, [&shared = shared_, what, tell](auto now) {
        asio::post(shared.lookout,
                   [&shared, what, tell, now] { tell(show(shared, what, now.get())); });
    });
}

}  // namespace sluice::gateway::admin
