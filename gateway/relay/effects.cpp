// gateway/relay/effects.cpp: what statements leave in a session.
#include "gateway/relay/effects.hpp"

#include <algorithm>

#include "gateway/relay/settings.hpp"

namespace sluice::gateway {
namespace {

// The name as the server stores it.
std::string folded(const sql::name_token& name)
{
    if (!name.quoted || name.raw.size() < 2)
        return lower_case(name.raw);
    std::string stored;
    for (std::size_t i = 1; i + 1 < name.raw.size(); ++i) {
        stored += name.raw[i];
        if (name.raw[i] == '"')
            ++i;
    }
    return stored;
}

}  // namespace

statement_effects effects_of(const sql::statement_traits& traits)
{
    statement_effects effects;
    const bool names_something = traits.kind == sql::statement_kind::deallocate ||
                                 traits.kind == sql::statement_kind::unlisten ||
                                 traits.kind == sql::statement_kind::close_cursor;
    if (traits.leaves_session_alone() && !names_something)
        return effects;
    effects.any = true;
    for (std::size_t i = 0; i < traits.setting_count; ++i)
        effects.settings.push_back(lower_case(traits.settings[i].name));
    effects.touches_unknown = traits.touches_unknown_setting;
    effects.resets_all = traits.resets_all;
    effects.pins = traits.pins;
    effects.unpins = traits.unpins;
    effects.kind = traits.kind;
    effects.name = folded(traits.name);
    return effects;
}

void pin_tracker::note(const statement_effects& effects)
{
    reasons_ = reasons_ & ~effects.unpins;
    std::erase_if(names_, [&](const auto& each) { return sql::any(each.first & effects.unpins); });
    reasons_ |= effects.pins;
    if (!effects.name.empty())
        note_name(effects);
}

void pin_tracker::note_name(const statement_effects& effects)
{
    using enum sql::statement_kind;
    sql::pin_reason reason = sql::pin_reason::none;
    switch (effects.kind) {
        case prepare:
        case deallocate:
            reason = sql::pin_reason::sql_prepare;
            break;
        case listen:
        case unlisten:
            reason = sql::pin_reason::listen;
            break;
        case declare_cursor:
        case close_cursor:
            reason = sql::pin_reason::hold_cursor;
            break;
        default:
            return;
    }
    if (sql::any(effects.pins & reason)) {
        names_.emplace_back(reason, effects.name);
        return;
    }
    if (effects.kind != deallocate && effects.kind != unlisten && effects.kind != close_cursor)
        return;
    std::erase(names_, std::pair(reason, effects.name));
    const auto left = [&](const auto& each) { return each.first == reason; };
    if (std::none_of(names_.begin(), names_.end(), left))
        reasons_ = reasons_ & ~reason;
}

void pin_tracker::clear() noexcept
{
    reasons_ = sql::pin_reason::none;
    names_.clear();
}

}  // namespace sluice::gateway
