// tests/unit/pool/shard_fixture.hpp: a pool of one worker, with backends that exist only in memory
// and clients that remember what became of them.
#pragma once

#include <gtest/gtest.h>

#include <asio/post.hpp>

#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "pool/shard.hpp"

namespace sluice::pool::test {

inline std::atomic<int> backends_alive{0};
inline std::atomic<int> backends_alive_most{0};

class memory_backend final : public backend {
public:
    explicit memory_backend(shard*& home) : home_(home)
    {
        const int alive = ++backends_alive;
        int most = backends_alive_most.load();
        while (alive > most && !backends_alive_most.compare_exchange_weak(most, alive)) {
        }
    }
    ~memory_backend() override { --backends_alive; }
    void depart() override { ++moves; }
    void arrive(std::size_t worker) override { at = worker; }
    void probe() override { ++probes; }

    std::size_t at = 0;
    int moves = 0;
    int probes = 0;
    std::atomic<int> users{0};

private:
    shard*& home_;
};

// Answers in the next turn of the shard's loop, or when told.
class memory_opener final : public opener {
public:
    void open(shard& target) override
    {
        ++asked;
        if (refuse) {
            asio::post(target.io(),
                       [keep = target.pool(), &target] { target.open_failed("no route"); });
            return;
        }
        if (hold)
            return;
        asio::post(target.io(), [this, keep = target.pool(), &target] {
            auto made = std::make_unique<memory_backend>(unused_);
            made->arrive(target.worker());
            target.opened(std::move(made));
        });
    }
    std::atomic<int> asked{0};
    std::atomic<bool> refuse{false};
    std::atomic<bool> hold{false};

private:
    shard* unused_ = nullptr;
};

struct client final : waiter {
    void on_backend(backend& granted) override
    {
        lease = &granted;
        order.push_back(number);
    }
    void on_refused(std::error_code code, const std::string& why) override
    {
        refused = code;
        cause = why;
    }
    bool on_offer(backend& shared, slot& right) override
    {
        if (!sharing)
            return false;
        joined = &shared;
        order.push_back(number);
        right.finish(steady_clock::now());
        return true;
    }
    bool holds_back() const override { return sharing && full; }
    client(int n, std::vector<int>& o) : number(n), order(o) {}
    static inline bool full = false;  // what is shared is enough
    bool sharing = false;
    backend* joined = nullptr;
    int number;
    std::vector<int>& order;
    backend* lease = nullptr;
    std::error_code refused;
    std::string cause;
};

class shard_test : public testing::Test {
protected:
    void make(limits with)
    {
        auto source = std::make_unique<memory_opener>();
        opening = source.get();
        pool = shared_pool::create("test", with, std::move(source), {&io});
    }
    void turn()
    {
        io.restart();
        io.poll();
    }
    shard& home() { return pool->at(0); }
    client& ask(bool sharing = false)
    {
        clients.emplace_back(static_cast<int>(clients.size()), order);
        client& one = clients.back();
        one.sharing = sharing;
        one.lease = home().acquire(one);
        return one;
    }
    void TearDown() override
    {
        client::full = false;
        clients.clear();
        if (pool)
            pool->close();
        turn();
        pool.reset();
        turn();
        EXPECT_EQ(backends_alive, 0);
    }

    asio::io_context io{1};
    std::shared_ptr<shared_pool> pool;
    memory_opener* opening = nullptr;
    std::vector<int> order;
    std::deque<client> clients;
};

}  // namespace sluice::pool::test
