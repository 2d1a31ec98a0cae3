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

// SET standard_conforming_strings = on, which drivers send to be sure of it.
bool is_on(std::string_view value)
{
    if (value.size() > 1 && value.front() == '\'' && value.back() == '\'')
        value = value.substr(1, value.size() - 2);
    const auto word = lower_case(value);
    return word == "on" || word == "true" || word == "yes" || word == "1";
}

}  // namespace

statement_effects effects_of(const sql::statement_traits& traits)
{
    statement_effects effects;
    const bool names_something = traits.kind == sql::statement_kind::deallocate ||
                                 traits.kind == sql::statement_kind::unlisten ||
                                 traits.kind == sql::statement_kind::close_cursor;
    if (traits.leaves_session_alone() && !names_something && !traits.opaque)
        return effects;
    effects.any = true;
    for (std::size_t i = 0; i < traits.setting_count; ++i) {
        effects.settings.push_back(lower_case(traits.settings[i].name));
        if (effects.settings.back() == "standard_conforming_strings")
            effects.strings_unclear |= !is_on(traits.settings[i].value);
    }
    effects.touches_unknown = traits.touches_unknown_setting;
    effects.resets_all = traits.resets_all;
    effects.resets = traits.kind == sql::statement_kind::reset && traits.statements == 1;
    effects.opaque = traits.opaque;
    effects.pins = traits.pins;
    effects.unpins = traits.unpins;
    effects.name_kind = traits.name_kind;
    effects.name = folded(traits.name);
    effects.more_names = traits.more_names;
    return effects;
}

namespace {

constexpr sql::pin_reason named_reasons =
    sql::pin_reason::sql_prepare | sql::pin_reason::listen | sql::pin_reason::hold_cursor;

sql::pin_reason reason_of(sql::statement_kind kind) noexcept
{
    using enum sql::statement_kind;
    switch (kind) {
        case prepare:
        case deallocate:
            return sql::pin_reason::sql_prepare;
        case listen:
        case unlisten:
            return sql::pin_reason::listen;
        case declare_cursor:
        case close_cursor:
            return sql::pin_reason::hold_cursor;
        default:
            return sql::pin_reason::none;
    }
}

bool ends_something(sql::statement_kind kind) noexcept
{
    using enum sql::statement_kind;
    return kind == deallocate || kind == unlisten || kind == close_cursor;
}

}  // namespace

void pin_tracker::pin(const statement_effects& effects)
{
    reasons_ |= effects.pins;
    const auto named = effects.pins & named_reasons;
    if (!sql::any(named))
        return;
    if (!effects.more_names && named == reason_of(effects.name_kind))
        names_.emplace_back(named, effects.name);
    else
        names_.emplace_back(named, std::string());  // one of them has a name that is not known
}

void pin_tracker::unpin(const statement_effects& effects)
{
    reasons_ = reasons_ & ~effects.unpins;
    std::erase_if(names_, [&](const auto& each) { return sql::any(each.first & effects.unpins); });
    if (!ends_something(effects.name_kind) || effects.name.empty())
        return;
    const auto reason = reason_of(effects.name_kind);
    std::erase(names_, std::pair(reason, effects.name));
    const auto left = [&](const auto& each) { return sql::any(each.first & reason); };
    if (std::none_of(names_.begin(), names_.end(), left))
        reasons_ = reasons_ & ~reason;
}

void pin_tracker::clear() noexcept
{
    reasons_ = sql::pin_reason::none;
    names_.clear();
}

}  // namespace sluice::gateway
