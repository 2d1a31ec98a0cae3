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
    if (entry.kind == owed_kind::copy_end && count_ == 0)
        return false;
    push(entry);
    return true;
}

reply_tracker::verdict reply_tracker::complete(std::initializer_list<owed_kind> kinds)
{
    verdict answer;
    if (count_ == 0 || std::find(kinds.begin(), kinds.end(), head().kind) == kinds.end()) {
        answer.unexpected = true;
        return answer;
    }
    answer.owner = head().owner;
    answer.ended = head();
    pop();
    return answer;
}

reply_tracker::verdict reply_tracker::on_message(char type)
{
    using enum owed_kind;
    const owed_kind now = count_ ? head().kind : sync;
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
            if (count_ > 0)
                begin_copy_in();
            break;
        default:
            break;
    }
    verdict answer;
    answer.owner = head_owner();
    // Asynchronous messages may come at any time; everything else belongs to a request.
    answer.unexpected = count_ == 0 && type != 'N' && type != 'S' && type != 'A';
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
    answer.unexpected = count_ == 0;
    copy_in_ = false;
    return answer;
}

// The server has just begun to read a copy: what was sent behind the request is copy data to it.
void reply_tracker::begin_copy_in()
{
    copy_in_ = true;
    while (count_ > 1) {
        const owed_kind kind = at(1).kind;
        erase(1);
        if (kind != owed_kind::sync) {
            copy_in_ = false;
            return;
        }
    }
}

std::optional<owed> reply_tracker::take_fake()
{
    if (count_ == 0 || !head().fake)
        return std::nullopt;
    const owed entry = head();
    pop();
    return entry;
}

void reply_tracker::disown(const void* owner) noexcept
{
    for (std::size_t i = 0; i < count_; ++i) {
        if (at(i).owner == owner)
            at(i).owner = nullptr;
    }
}

std::size_t reply_tracker::ready_owed(const void* owner) const noexcept
{
    std::size_t found = 0;
    for (std::size_t i = 0; i < count_; ++i) {
        const auto kind = at(i).kind;
        found += at(i).owner == owner && (kind == owed_kind::query || kind == owed_kind::sync);
    }
    return found;
}

void reply_tracker::push(const owed& entry)
{
    if (count_ == ring_.size()) {
        std::vector<owed> larger(std::max<std::size_t>(16, ring_.size() * 2));
        for (std::size_t i = 0; i < count_; ++i)
            larger[i] = at(i);
        ring_.swap(larger);
        first_ = 0;
    }
    at(count_) = entry;
    ++count_;
}

void reply_tracker::pop() noexcept
{
    first_ = (first_ + 1) & (ring_.size() - 1);
    --count_;
    drop_markers();
}

void reply_tracker::drop_markers() noexcept
{
    while (count_ > 0 && head().kind == owed_kind::copy_end) {
        first_ = (first_ + 1) & (ring_.size() - 1);
        --count_;
    }
}

void reply_tracker::erase(std::size_t i) noexcept
{
    for (; i + 1 < count_; ++i)
        at(i) = at(i + 1);
    --count_;
}

}  // namespace sluice::pg
