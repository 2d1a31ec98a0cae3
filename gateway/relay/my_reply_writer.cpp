// gateway/relay/my_reply_writer.cpp: passing packets on, with EOFs and without changes.
#include "gateway/relay/my_reply_writer.hpp"

#include <algorithm>
#include <array>

namespace sluice::gateway {
namespace {

using mysql::packet_kind;

// What an EOF behind column definitions may say; the rest is known when the rows are through.
constexpr std::uint16_t lasting_status = mysql::status::in_transaction | mysql::status::autocommit |
                                         mysql::status::in_readonly_transaction |
                                         mysql::status::no_backslash_escapes |
                                         mysql::status::ansi_quotes;

// What a server reports to a client that asked for nothing (MariaDB's and MySQL's default).
constexpr std::array<std::string_view, 5> reported_by_default = {"autocommit",
                                                                 "character_set_client",
                                                                 "character_set_connection",
                                                                 "character_set_results",
                                                                 "time_zone"};

bool is_reported(const mysql::change_list::change& change)
{
    if (change.type == mysql::session_track::schema)
        return true;
    if (change.type != mysql::session_track::system_variable)
        return false;
    mysql::variable_list variables(change.data);
    const auto variable = variables.next();
    return variable &&
           std::find(reported_by_default.begin(), reported_by_default.end(), variable->name) !=
               reported_by_default.end();
}

}  // namespace

void my_reply_writer::begin_lease(sink& to, std::uint32_t capabilities) noexcept
{
    to_ = &to;
    capabilities_ = capabilities;
}

void my_reply_writer::begin_reply(std::uint8_t sequence) noexcept
{
    eof_owed_ = begun_ = false;
    next_ = sequence;
    shift_ = 0;
}

void my_reply_writer::packet(const mysql::reply_tracker::verdict& verdict,
                             const mysql::reply_tracker& tracker,
                             std::span<std::byte> bytes)
{
    const bool ends_rows = verdict.kind == packet_kind::end;
    if (eof_owed_ && verdict.kind != packet_kind::continuation) {
        eof_owed_ = false;
        // A cursor was opened: the one EOF behind the definitions says so.
        const auto status = tracker.status();
        if (!ends_rows || !(status & mysql::status::cursor_exists))
            insert_eof(ends_rows ? status & ~mysql::status::more_results : status & lasting_status,
                       ends_rows ? tracker.ok().warnings : std::uint16_t{0});
    }
    begun_ = true;
    const bool deprecates_eof = capabilities_ & mysql::capability::deprecate_eof;
    next_ = static_cast<std::uint8_t>(std::to_integer<std::uint8_t>(bytes[3]) + shift_ + 1);
    if (ends_rows || verdict.kind == packet_kind::ok) {
        const bool changes = tracker.status() & mysql::status::session_state_changed;
        if (changes || (ends_rows && !deprecates_eof)) {
            --next_;
            rewrite(verdict.kind, tracker.ok(), bytes[mysql::header_size]);
            return;
        }
    }
    if (shift_)
        bytes[3] = static_cast<std::byte>(next_ - 1);
    pass(bytes);
    if (deprecates_eof || !verdict.group_end)
        return;
    eof_owed_ = true;
    if (verdict.ended) {
        eof_owed_ = false;
        insert_eof(tracker.status() & lasting_status, 0);
    }
}

void my_reply_writer::pass(bytes_view bytes)
{
    if (!range_.empty() && range_.data() + range_.size() == bytes.data()) {
        range_ = {range_.data(), range_.size() + bytes.size()};
        return;
    }
    if (!range_.empty()) {
        to_->reply_out().append(range_);
        unsent_ = true;
    }
    range_ = bytes;
}

byte_queue& my_reply_writer::own_bytes()
{
    pass({});
    unsent_ = true;
    return to_->reply_out();
}

void my_reply_writer::insert_eof(std::uint16_t status, std::uint16_t warnings)
{
    byte_queue& out = own_bytes();
    mysql::append_eof(out, next_, {warnings, status});
    ++shift_;
}

void my_reply_writer::rewrite(packet_kind kind, const mysql::ok_message& ok, std::byte first)
{
    mysql::ok_message mine = ok;
    mine.changes = {};
    mine.status &= static_cast<std::uint16_t>(~mysql::status::session_state_changed);
    byte_queue& out = own_bytes();
    byte_queue changes;
    if (capabilities_ & mysql::capability::session_track) {
        auto all = ok.changes;
        while (const auto change = all.next()) {
            if (is_reported(*change))
                changes.append(change->whole);
        }
        if (!changes.empty()) {
            mine.changes = mysql::change_list(changes.readable());
            mine.status |= mysql::status::session_state_changed;
        }
    }
    if (kind == packet_kind::end)
        mysql::append_end_of_rows(out, next_, mine, capabilities_);
    else
        mysql::append_ok(out, next_, mine, capabilities_, first);
}

void my_reply_writer::send()
{
    if (!range_.empty() || unsent_) {
        unsent_ = false;
        to_->on_reply(std::exchange(range_, {}));
    }
}

}  // namespace sluice::gateway
