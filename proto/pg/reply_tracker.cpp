// proto/pg/reply_tracker.cpp: matching a backend's messages with what it owes.
#include "proto/pg/reply_tracker.hpp"

#include <algorithm>

namespace sluice::pg {

bool reply_tracker::sent(const owed& entry)
{
    if (copy_in_) {
        // Sync is ignored; CopyDone and CopyFail end the copy, so does (with an error) the rest.
        if (entry.kind != owed_kind::sync)
            copy_in_ = false;
        return false;
    }
    if (skipping_) {
        if (entry.kind != owed_kind::sync)
            return false;
        skipping_ = false;
    }
    if (entry.kind == owed_kind::copy_end && owed_.empty())
        return false;
    owed_.push(entry);
    return true;
}

reply_tracker::verdict reply_tracker::complete(std::initializer_list<owed_kind> kinds)
{
    verdict answer;
    if (owed_.empty() || std::find(kinds.begin(), kinds.end(), owed_.front().kind) == kinds.end()) {
        answer.unexpected = true;
        return answer;
    }
    answer.owner = owed_.front().owner;
    answer.ended = owed_.front();
    pop();
    return answer;
}

reply_tracker::verdict reply_tracker::on_message(char type)
{
    using enum owed_kind;
    const owed_kind now = !owed_.empty() ? owed_.front().kind : sync;
    switch (type) {
        case '1':
            return complete({parse});
        case '2':
            return complete({bind});
        case '3':
            return complete({close});
        case 'n':
            return complete({describe_statement, describe_portal});
        case 's':
            return complete({execute});
        case 'T':
            if (now == describe_statement || now == describe_portal)
                return complete({now});
            break;
        case 'C':
        case 'I':
            if (now == execute)
                return complete({execute});
            break;
        case 'G':
        case 'W':
            if (!owed_.empty())
                begin_copy_in();
            break;
        default:
            break;
    }
    verdict answer;
    answer.owner = head_owner();
    // Asynchronous messages may come at any time; everything else belongs to a request.
    answer.unexpected = owed_.empty() && type != 'N' && type != 'S' && type != 'A';
    return answer;
}

reply_tracker::verdict reply_tracker::on_ready(char status)
{
    status_ = status;
    return complete({owed_kind::query, owed_kind::sync});
}

reply_tracker::verdict reply_tracker::begin_error()
{
    verdict answer;
    answer.owner = head_owner();
    answer.unexpected = owed_.empty();
    copy_in_ = false;
    return answer;
}

// The server has just begun to read a copy: what was sent behind the request is copy data to it.
void reply_tracker::begin_copy_in()
{
    copy_in_ = true;
    while (owed_.size() > 1) {
        const owed_kind kind = owed_[1].kind;
        owed_.erase(1);
        if (kind != owed_kind::sync) {
            copy_in_ = false;
            return;
        }
    }
}

std::optional<owed> reply_tracker::take_fake()
{
    if (owed_.empty() || !owed_.front().fake)
        return std::nullopt;
    const owed entry = owed_.front();
    pop();
    return entry;
}

void reply_tracker::release_held() noexcept
{
    for (std::size_t i = 0; i < owed_.size(); ++i)
        owed_[i].held = false;
}

void reply_tracker::disown(const void* owner) noexcept
{
    for (std::size_t i = 0; i < owed_.size(); ++i) {
        if (owed_[i].owner == owner)
            owed_[i].owner = nullptr;
    }
}

std::size_t reply_tracker::ready_owed(const void* owner) const noexcept
{
    std::size_t found = 0;
    for (std::size_t i = 0; i < owed_.size(); ++i) {
        const auto kind = owed_[i].kind;
        found += owed_[i].owner == owner && (kind == owed_kind::query || kind == owed_kind::sync);
    }
    return found;
}

void reply_tracker::pop() noexcept
{
    owed_.pop();
    drop_markers();
}

void reply_tracker::drop_markers() noexcept
{
    while (!owed_.empty() && owed_.front().kind == owed_kind::copy_end)
        owed_.pop();
}

}  // namespace sluice::pg
