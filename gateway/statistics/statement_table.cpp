// gateway/statistics/statement_table.cpp: finding a statement's place; texts.
#include "gateway/statistics/statement_table.hpp"

#include <new>

#include "proto/sql/normalize.hpp"

namespace sluice::gateway::statistics {

statement_totals& statement_totals::operator+=(const statement_totals& other)
{
    calls += other.calls;
    rows += other.rows;
    errors += other.errors;
    backend_time += other.backend_time;
    latency += other.latency;
    return *this;
}

void statement_texts::add(std::uint64_t digest, std::string_view text, sql::dialect d)
{
    auto shown = sql::normalized(text, d, text_max);
    const std::scoped_lock lock(mutex_);
    if (texts_.size() < texts_max || texts_.contains(digest)) {
        texts_.insert_or_assign(digest, std::move(shown));
        return;
    }
    // Which one goes does not matter much: a statement that is still run comes back when its place
    // in a table does.
    texts_.erase(texts_.lower_bound(digest) == texts_.end() ? texts_.begin()
                                                            : texts_.lower_bound(digest));
    texts_.emplace(digest, std::move(shown));
}

std::string statement_texts::find(std::uint64_t digest) const
{
    const std::scoped_lock lock(mutex_);
    const auto found = texts_.find(digest);
    return found == texts_.end() ? std::string() : found->second;
}

void statement_table::entry::clear() noexcept
{
    calls.clear();
    rows.clear();
    errors.clear();
    backend_time.clear();
    latency.clear();
}

statement_table::~statement_table()
{
    for (auto& each : sets_)
        delete each.load();
}

statement_table::entry* statement_table::find_or_add(std::uint64_t digest, bool& fresh) noexcept
{
    fresh = false;
    auto& place = sets_[(digest ^ digest >> 32) % sets];
    set* here = place.load(std::memory_order_relaxed);
    if (!here) {
        if (sets_left_.load(std::memory_order_relaxed) == 0)
            return nullptr;
        sets_left_.fetch_sub(1, std::memory_order_relaxed);
        here = new (std::nothrow) set;
        if (!here)
            return nullptr;
        place.store(here, std::memory_order_release);
    }
    ++clock_;
    std::size_t oldest = 0;
    for (std::size_t i = 0; i < ways; ++i) {
        if (here->digests[i].load(std::memory_order_relaxed) == digest) {
            here->used[i] = clock_;
            return &here->entries[i];
        }
        if (here->used[i] < here->used[oldest])
            oldest = i;
    }
    // A reader that sees the digest change does not count what it read.
    here->digests[oldest].store(0, std::memory_order_release);
    here->entries[oldest].clear();
    here->used[oldest] = clock_;
    here->digests[oldest].store(digest, std::memory_order_release);
    fresh = true;
    return &here->entries[oldest];
}

void statement_table::read(std::map<std::uint64_t, statement_totals>& into) const
{
    for (const auto& place : sets_) {
        const set* here = place.load(std::memory_order_acquire);
        if (!here)
            continue;
        for (std::size_t i = 0; i < ways; ++i) {
            const entry& each = here->entries[i];
            statement_totals now;
            now.digest = here->digests[i].load(std::memory_order_acquire);
            if (now.digest == 0)
                continue;
            now.calls = each.calls.read();
            now.rows = each.rows.read();
            now.errors = each.errors.read();
            now.backend_time = each.backend_time.read();
            now.latency = each.latency.read();
            if (here->digests[i].load(std::memory_order_relaxed) != now.digest)
                continue;
            auto& sum = into[now.digest];
            sum.digest = now.digest;
            sum += now;
        }
    }
}

}  // namespace sluice::gateway::statistics
