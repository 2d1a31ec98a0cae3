// gateway/session_mysql.cpp: what a MySQL client may do to its own session: another user, another
// database, and KILL.
#include <algorithm>
#include <vector>

#include <asio/post.hpp>

#include "gateway/admin/console.hpp"
#include "gateway/context.hpp"
#include "gateway/log/log.hpp"
#include "gateway/my_errors.hpp"
#include "gateway/session.hpp"
#include "gateway/worker.hpp"

namespace sluice::gateway {
namespace {

const std::string neutral_schema = "information_schema";

}  // namespace

// Often one of its calls has brought us here: it is destroyed when they have returned.
lane& session::retire_lane()
{
    lane& old = *lane_;
    lane_->on_client_gone();
    uncount_client();
    ++lane_number_;
    asio::post(home_.io(), [gone = std::move(lane_)] {});
    reading_ = true;
    leaving_ = false;
    return old;
}

void session::change_user(bytes_view input)
{
    if (phase_ != phase::serving || !identity_.mysql)
        return;
    retire_lane();
    counted_ = {};
    count_unsent(0);
    tenant_ = {};
    phase_ = phase::login;
    rules_ = shared_.current();
    deadline_ = std::chrono::steady_clock::now() + rules_->settings.gateway.login_timeout;
    front_ = make_my_front(shared_, *rules_, identity_);
    login_in_.append(input);
    run_login();
}

// For a MySQL client that names no database: its user's default or only one. Where there are more,
// a MySQL server takes it all the same, as tools expect that begin with SET and choose later; in a
// schema where no table of anybody's is hit by mistake. False: none is suitable.
bool session::choose_default_database()
{
    const auto& settings = rules_->settings;
    const user* who = settings.find_user(identity_.user);
    if (who && !who->default_database.empty()) {
        identity_.database = who->default_database;
        return true;
    }
    std::vector<std::string> usable;
    if (who && !who->databases.empty()) {
        usable = who->databases;
    } else {
        for (const auto& [name, entry] : settings.databases)
            usable.push_back(name == "*" ? neutral_schema : name);
    }
    const auto engine_of = [&](const std::string& name) {
        return settings.find_database(name)->engine;
    };
    std::erase_if(usable, [&](const auto& name) { return engine_of(name) == engine::postgres; });
    if (usable.size() == 1) {
        identity_.database = usable.front();
        return true;
    }
    const auto first = std::find_if(usable.begin(), usable.end(), [&](const auto& name) {
        return engine_of(name) == engine::mysql;
    });
    if (first == usable.end())
        return false;
    identity_.database = *first;
    identity_.mysql->schema = neutral_schema;
    return true;
}

bool session::change_database(std::string_view name, std::uint8_t sequence, bytes_view behind)
{
    if (phase_ != phase::serving || !identity_.mysql)
        return false;
    std::string wanted(name);
    const auto rules = shared_.current();
    const bool console = admin::is_console(rules->settings, wanted);
    if (!console && !rules->settings.find_database(wanted))
        return false;
    const user* who = rules->settings.find_user(identity_.user);
    // A user who is in the file no more may stay where it is.
    const bool known = who || rules->settings.auth.method == auth_method::trust;
    const bool allowed = console ? admin::may_enter(who) : known && (!who || who->may_use(wanted));
    if (!allowed) {
        append_my_error(out(),
                        sequence,
                        client_error::forbidden_database,
                        "Access denied for user '" + identity_.user + "' to database '" + wanted +
                            "' (see users." + identity_.user +
                            (console ? ".admin)" : ".databases)"));
        flush();
        return true;
    }
    lane& before = retire_lane();
    counted_ = {};
    count_unsent(0);
    tenant_ = {};
    identity_.database = std::move(wanted);
    identity_.mysql->schema.clear();
    identity_.mysql->sequence = sequence;
    phase_ = phase::login;  // for the sequence of what choose_lane() may say
    rules_ = rules;
    const bool welcome = choose_lane();
    rules_.reset();
    if (!welcome)
        return true;
    log::debug("client changed its database",
               {{"client", identity_.id}, {"database", identity_.database}});
    phase_ = phase::serving;
    lane_->inherit(before);
    lane_->start();
    if (!behind.empty() && phase_ == phase::serving)
        lane_->on_data(behind);
    if (home_.draining() && phase_ == phase::serving)
        drain();
    return true;
}

void session::kill(std::uint32_t id, kill_scope scope, std::function<void(kill_outcome)> done)
{
    // A session's id names its worker. The answer reaches the lane that asked, or nobody.
    auto& where = *shared_.workers[id % shared_.workers.size()];
    auto answer = [&home = home_, me = identity_.id, mine = lane_number_, done = std::move(done)](
                      kill_outcome how) {
        asio::post(home.io(), [&home, me, mine, done, how] {
            session* self = home.find(me);
            if (self && self->phase_ == phase::serving && self->lane_number_ == mine)
                done(how);
        });
    };
    where.post_kill(
        id,
        scope,
        identity_.user,
        [&before = shared_.takeover, id, scope, user = identity_.user, answer = std::move(answer)](
            kill_outcome how) {
            // A client of the process that this one has taken over from?
            if (how != kill_outcome::unknown_id || !before.kill(id, scope, user, answer))
                answer(how);
        });
}

void session::killed_by(const std::string& user,
                        kill_scope scope,
                        std::function<void(kill_outcome)> done)
{
    if (protocol_ != client_protocol::mysql || phase_ != phase::serving)
        done(kill_outcome::unknown_id);
    else if (identity_.user != user)
        done(kill_outcome::not_the_owner);
    else
        die(scope, [done = std::move(done)] { done(kill_outcome::done); });
}

// KILL by another client (or by this one).
void session::die(kill_scope scope, std::function<void()> done)
{
    log::info("client killed",
              {{"client", identity_.id},
               {"user", identity_.user},
               {"scope", scope == kill_scope::query ? "query" : "connection"}});
    if (scope == kill_scope::query) {
        lane_->on_cancel(std::move(done));
        return;
    }
    done();
    if (lane_->quiescent())
        append_my_error(out(), 1, client_error::cancelled, "Connection was killed");
    flush();
    // The lane cancels what runs and rolls back, as for any client that leaves.
    gone("killed");
}

}  // namespace sluice::gateway
