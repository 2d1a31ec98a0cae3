// gateway/relay/pg_lane_state.cpp: what belongs to a client's session: its settings, its pins, its
// prepared statements.
#include <algorithm>

#include "gateway/relay/pg_lane.hpp"
#include "gateway/statistics/snapshot.hpp"
#include "proto/pg/frame.hpp"
#include "proto/pg/messages.hpp"

namespace sluice::gateway {
namespace {

constexpr std::size_t touched_max = 64;

}  // namespace

void pg_lane::on_parameter(std::string_view name, std::string_view value)
{
    // The backend's own default: the client's is what it asked for in its startup packet.
    if (discarded_ && startup_.find(lower_case(name)))
        return;
    settings_.set(name, value);
}

// What takes a pin away does so if no error came, and no ROLLBACK can undo it.
void pg_lane::settle_pins(char status)
{
    const bool certain = status == 'I' && !was_in_transaction_ && !failed_;
    was_in_transaction_ = status != 'I';
    failed_ = false;
    if (!reset_.empty() && !reset_certain_) {
        reset_certain_ = certain;
        if (!certain)
            reset_.clear();
    }
    if (unpins_.empty())
        return;
    if (certain) {
        for (const auto& each : unpins_) {
            pins_.unpin(each);
            // What the same text pinned behind it stays.
            pins_.pin(each);
        }
        if (link_)
            link_->set_dirty(pinned());
    }
    unpins_.clear();
}

// After DISCARD ALL the backend fell back to its defaults and the client was told so. What it hears
// last is what it has from its next request on. False: wait for the backend.
bool pg_lane::restore_startup_settings()
{
    for (const auto& [name, value] : link_->parameters()) {
        const std::string* own = startup_.find(lower_case(name));
        const std::string* now = link_->reported().find(lower_case(name));
        if (own && now && *own != *now)
            pg::append_parameter_status(channel_.out(), name, *own);
    }
    channel_.flush();
    if (!session_mode() || link_->apply(startup_) == pg_link::apply_outcome::nothing)
        return true;
    hold(wait::settings);
    link_->flush();
    return false;
}

// RESET went back to the backend's value, which is not the one that the client's session began
// with.
void pg_lane::restore_reset_settings()
{
    for (const auto& name : reset_) {
        const std::string* own = startup_.find(name);
        const std::string* now = link_->reported().find(name);
        if (!own)
            continue;
        settings_.set(name, *own);
        if (!now || *now == *own)
            continue;
        for (const auto& [spelled, value] : link_->parameters()) {
            if (lower_case(spelled) == name)
                pg::append_parameter_status(channel_.out(), spelled, *own);
        }
    }
    reset_.clear();
    reset_certain_ = false;
    channel_.flush();
}

// The server is asked what a SET, RESET or set_config left: it may have been rolled back, or
// spelled in another way. Settings that the server reports by itself are known already.
void pg_lane::read_touched_settings()
{
    if (touched_all_) {
        for (const auto& each : {settings_, link_->applied()}) {
            for (const auto& [name, value] : each.entries())
                touched_.push_back(name);
        }
        touched_all_ = false;
    }
    std::sort(touched_.begin(), touched_.end());
    touched_.erase(std::unique(touched_.begin(), touched_.end()), touched_.end());
    std::erase_if(touched_, [this](const std::string& name) {
        return link_->reported().find(name) != nullptr;
    });
    if (touched_.size() > touched_max) {
        pinned_for_good_ = true;
        touched_.clear();
    }
    if (touched_.empty()) {
        on_replies_done(link_->status());
        return;
    }
    hold(wait::settings_read);
    link_->read_settings(touched_);
}

void pg_lane::on_settings_read(const std::vector<std::optional<std::string>>& values)
{
    for (std::size_t i = 0; i < values.size() && i < touched_.size(); ++i) {
        if (!values[i])
            continue;
        settings_.set(touched_[i], *values[i]);
        link_->note_setting(touched_[i], *values[i]);
    }
    touched_.clear();
    waiting_ = wait::none;  // on_replies_done follows
}

void pg_lane::note(const statement_effects& effects)
{
    if (!effects.any || session_mode())
        return;
    const bool before = pinned();
    pins_.pin(effects);
    if (effects.resets)
        reset_.insert(reset_.end(), effects.settings.begin(), effects.settings.end());
    if (effects.resets_all) {
        for (const auto& [name, value] : startup_.entries())
            reset_.push_back(name);
    }
    // The lexer reads strings as the standard has them; without it nobody knows what a text says.
    pinned_for_good_ = pinned_for_good_ || effects.touches_unknown || effects.strings_unclear;
    if (effects.opaque)
        link_->set_unknown_settings();
    if (sql::any(effects.unpins) || !effects.name.empty())
        unpins_.push_back(effects);
    touched_.insert(touched_.end(), effects.settings.begin(), effects.settings.end());
    touched_all_ = touched_all_ || effects.resets_all;
    if (!before && pinned())
        meter_.pinned(pinned_by());
    link_->set_dirty(pinned());
}

void pg_lane::describe_session(statistics::client_info& into) const
{
    using statistics::client_state;
    into.prepared = statements_.size();
    const pg_link* link = link_ ? link_ : shared_link_;
    if (!link)
        return;
    into.backend = link->backend_pid();
    if (pinned())
        into.pinned_by = pinned_by();
    into.state = link->status() != 'I' ? client_state::in_transaction : client_state::pinned;
    if (session_mode() && into.pinned_by.empty())
        into.pinned_by = "pool.mode = session";
}

// One of the reasons, a constant.
const char* pg_lane::pinned_by() const noexcept
{
    const auto all = static_cast<unsigned>(pins_.reasons());
    if (all == 0)
        return pinned_for_good_ ? "settings that cannot be followed" : "";
    return sql::describe(static_cast<sql::pin_reason>(all & -all)).data();
}

bool pg_lane::on_server_error(bytes_view message)
{
    failed_ = true;
    if (session_mode() || !link_->has_request() || link_->replied() || replayed_ || open_sequence_)
        return false;
    const auto fields = pg::parse_error_fields(message.subspan(pg::header_size));
    if (!fields || !pg::is_stale_plan(*fields))
        return false;
    // The table changed under a statement prepared earlier; the client never asked for a plan to
    // be kept. Swallow the rest, prepare anew, run again.
    replaying_ = true;
    link_->mute();
    return true;
}

void pg_lane::run_again()
{
    replaying_ = false;
    replayed_ = true;
    const std::string request = link_->take_request();
    forget_parsed(*link_);
    meter_.taken_back();
    open_sequence_ = false;
    link_->forget_statements();
    process(as_bytes(request));
}

void pg_lane::on_parse_dropped(std::uint64_t statement_id)
{
    for (auto each = parsing_.rbegin(); each != parsing_.rend(); ++each) {
        if (each->first != statement_id)
            continue;
        statements_.erase(each->second);
        parsing_.erase(std::next(each).base());
        return;
    }
}

// `by` will not answer what it has not answered; nor has the client heard what is held back.
void pg_lane::forget_parsed(const pg_link& by)
{
    if (by.delivered()) {
        for (const auto& each : by.held())
            on_parse_dropped(each.tag);
        by.tracker().for_each([this](const pg::owed& entry) {
            if (entry.kind == pg::owed_kind::parse && entry.owner)
                on_parse_dropped(entry.tag);
        });
    } else {
        for (const auto& [id, name] : parsing_)
            statements_.erase(name);
    }
    parsing_.clear();
}

void pg_lane::on_everything_deallocated(bool discarded_all)
{
    std::erase_if(statements_, [this](const auto& entry) {
        const auto same = [&](const auto& sent) { return sent.second == entry.first; };
        return std::none_of(parsing_.begin(), parsing_.end(), same);
    });
    if (!discarded_all)
        return;
    settings_ = startup_;
    discarded_ = true;
    touched_.clear();
    touched_all_ = false;
    pins_.clear();
    pinned_for_good_ = false;
    link_->set_dirty(false);
}

}  // namespace sluice::gateway
