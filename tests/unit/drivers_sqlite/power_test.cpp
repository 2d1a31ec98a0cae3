// tests/unit/drivers_sqlite/power_test.cpp: power cuts, full disks and failing flushes: what was
// acknowledged or shown is there afterwards.
#include <asio/post.hpp>

#include <array>
#include <deque>
#include <fstream>

#include "unit/drivers_sqlite/fault_vfs.hpp"
#include "unit/drivers_sqlite/inline_fixture.hpp"

namespace sluice::sqlite {
namespace {

constexpr int writers = 12;

// What clients were told by a moment: the highest number acknowledged to each writer, or shown to a
// reader of its row.
struct promises {
    std::array<std::atomic<std::int64_t>, writers> acknowledged{};
    std::array<std::atomic<std::int64_t>, writers> shown{};
};
struct promised {
    std::array<std::int64_t, writers> at_least{};
};

void raise(std::atomic<std::int64_t>& to, std::int64_t value)
{
    auto old = to.load();
    while (old < value && !to.compare_exchange_weak(old, value)) {
    }
}

class opened {
public:
    explicit opened(const std::filesystem::path& path)
    {
        sqlite3_open(path.c_str(), &db_);
        sqlite3_exec(db_, "PRAGMA synchronous=OFF", nullptr, nullptr, nullptr);
    }
    ~opened() { sqlite3_close(db_); }
    opened(const opened&) = delete;
    opened& operator=(const opened&) = delete;

    std::vector<std::vector<std::string>> ask(const char* sql)
    {
        std::vector<std::vector<std::string>> rows;
        char* why = nullptr;
        const auto row = [](void* into, int count, char** values, char**) {
            auto& all = *static_cast<std::vector<std::vector<std::string>>*>(into);
            auto& one = all.emplace_back();
            for (int i = 0; i < count; ++i)
                one.emplace_back(values[i] ? values[i] : "NULL");
            return 0;
        };
        if (sqlite3_exec(db_, sql, row, &rows, &why) != SQLITE_OK) {
            rows = {{std::string("error: ") + why}};
            sqlite3_free(why);
        }
        return rows;
    }

private:
    sqlite3* db_ = nullptr;
};

}  // namespace

class PowerTest : public InlineTest {
protected:
    void SetUp() override
    {
        InlineTest::SetUp();
        with_.vfs = disk_.name();
        with_.checkpoint_frames = 40;  // many checkpoints
        // While disks that were cut are being judged, the writer may have to wait for that.
        with_.queue_timeout = std::chrono::minutes(5);
    }
    void TearDown() override
    {
        stop();
        InlineTest::TearDown();
    }

    // Writer `who` counts its row up, each time in another of the ways to write.
    void write(int who, std::int64_t number, client& as)
    {
        const auto row = std::to_string(who);
        const std::string change = "UPDATE t SET n = n + 1, pad = randomblob(" +
                                   std::to_string(number % 7 * 150) + ") WHERE w = " + row;
        outcome done;
        switch ((who + number) % 4) {
            case 0:
            case 1:
                done = as.run(change);  // in a group
                break;
            case 2:  // not in a group: a transaction of its own, flushed with others
                done = as.run("WITH one(x) AS (SELECT 1) " + change);
                break;
            default: {
                EXPECT_GOOD(as.begin());
                EXPECT_GOOD(as.run(change));
                done = as.commit();
            }
        }
        EXPECT_GOOD(done);
        if (!done.error)
            raise(told_.acknowledged[static_cast<std::size_t>(who)], number);
    }
    void read(client& as, bool inside_loop)
    {
        for (int who = 0; who < writers && !over_; ++who) {
            const auto sql = "SELECT n FROM t WHERE w = " + std::to_string(who);
            auto seen = inside_loop ? now(as, sql) : as.ask(sql);
            if (seen == "worker")
                seen = as.ask(sql);
            raise(told_.shown[static_cast<std::size_t>(who)], std::stoll(seen));
        }
    }

    void start()
    {
        open();
        auto first = connect();
        EXPECT_GOOD(first.run("CREATE TABLE t(w INTEGER PRIMARY KEY, n INTEGER, pad BLOB)"));
        EXPECT_GOOD(first.run("CREATE INDEX i ON t(n)"));
        for (int who = 0; who < writers; ++who)
            EXPECT_GOOD(first.run("INSERT INTO t VALUES (" + std::to_string(who) + ", 0, '')"));
        for (int who = 0; who < writers; ++who) {
            threads_.emplace_back([this, who] {
                auto as = connect();
                for (std::int64_t number = 1; !over_; ++number)
                    write(who, number, as);
            });
        }
        for (const bool inside_loop : {true, false}) {
            threads_.emplace_back([this, inside_loop] {
                auto as = connect();
                while (!over_)
                    read(as, inside_loop);
            });
        }
    }
    void stop()
    {
        over_ = true;
        for (auto& thread : threads_)
            thread.join();
        threads_.clear();
    }
    promised so_far() const
    {
        promised now_promised;
        for (std::size_t i = 0; i < writers; ++i)
            now_promised.at_least[i] =
                std::max(told_.acknowledged[i].load(), told_.shown[i].load());
        return now_promised;
    }

    // Empty, or what is lost or broken in what the disk holds after a cut.
    std::string judge(const fault_vfs::image& disk, const promised& all, bool deeply)
    {
        const auto place = folder_ / "after";
        std::filesystem::remove_all(place);
        std::filesystem::create_directory(place);
        for (const auto& [name, bytes] : disk) {
            std::ofstream out(place / name, std::ios::binary);
            out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        }
        opened after(place / "test.db");
        const auto rows = after.ask("SELECT n FROM t ORDER BY w");
        if (rows.size() != static_cast<std::size_t>(writers))
            return rows.empty() || rows[0][0].find("no such table") != std::string::npos
                       ? "lost: the table"
                       : "broken: " + rows[0][0];
        for (std::size_t who = 0; who < writers; ++who) {
            if (std::stoll(rows[who][0]) < all.at_least[who])
                return "lost: writer " + std::to_string(who) + " has " + rows[who][0] + ", not " +
                       std::to_string(all.at_least[who]);
        }
        const auto found = deeply ? after.ask("PRAGMA integrity_check")[0][0] : "ok";
        return found == "ok" ? "" : "broken: " + found;
    }

    // How many of so many cuts lost something; the test fails at what is broken, and at the first
    // loss unless those are `allowed`.
    int cut_power(int cuts, bool allowed)
    {
        std::mutex mutex;
        std::condition_variable wake;
        std::deque<std::pair<fault_vfs::image, promised>> waiting;
        bool enough = false;
        start();
        disk_.cut(0.05, [&](fault_vfs::image image) {
            std::unique_lock held(mutex);
            wake.wait(held, [&] { return waiting.size() < 64 || enough; });  // bounded memory
            waiting.emplace_back(std::move(image), so_far());
            wake.notify_all();
        });
        int lost = 0;
        for (int cut = 0; cut < cuts && !HasFailure(); ++cut) {
            std::unique_lock held(mutex);
            const bool came = wake.wait_for(held, 30s, [&] { return !waiting.empty(); });
            EXPECT_TRUE(came);
            if (!came)
                break;
            const auto [image, all] = std::move(waiting.front());
            waiting.pop_front();
            wake.notify_all();
            held.unlock();
            const auto wrong = judge(image, all, cut % 10 == 0);
            lost += wrong.starts_with("lost") ? 1 : 0;
            EXPECT_TRUE(wrong.empty() || (allowed && wrong.starts_with("lost"))) << wrong;
        }
        {
            const std::scoped_lock held(mutex);
            enough = true;
        }
        wake.notify_all();
        disk_.stop_cutting();
        stop();
        return lost;
    }

    fault_vfs disk_;
    promises told_;
    std::atomic<bool> over_ = false;
    std::vector<std::thread> threads_;
};

TEST_F(PowerTest, NothingAcknowledgedOrShownIsLost)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    constexpr int cuts = 2'000;  // those who judge the disks are many times slower
#else
    constexpr int cuts = 10'000;
#endif
    EXPECT_EQ(cut_power(cuts, false), 0);
    const auto stats = database_->stats();
    EXPECT_GT(stats.groups, 100u);
    EXPECT_GT(stats.flushes, 100u);
    EXPECT_GT(stats.checkpoints, 100u);
    EXPECT_GT(stats.inline_reads, 100u);
    EXPECT_GT(so_far().at_least[0], 100);
}

// What durability = "normal" says: never broken, the last writes may be gone. (And proof that
// losses would be seen.)
TEST_F(PowerTest, NormalDurabilityMayLoseTheLastWritesOnly)
{
    with_.durable = durability::normal;
    EXPECT_GT(cut_power(500, true), 0);
}

TEST_F(PowerTest, AFullDiskIsAnErrorAndNothingIsLost)
{
    start();
    std::this_thread::sleep_for(100ms);
    stop();
    auto as = connect();
    EXPECT_GOOD(as.run("CREATE TABLE big(id INTEGER PRIMARY KEY, b BLOB)"));
    std::vector<std::int64_t> kept;
    std::int64_t id = 0;
    for (int round = 0; round < 5; ++round) {
        disk_.room = 300'000 + round * 7'777;
        int full = 0;
        std::vector<client> many;
        for (int i = 0; i < 8; ++i)
            many.push_back(connect());
        while (full < 20) {
            std::vector<std::pair<std::int64_t, std::future<outcome>>> coming;
            for (auto& one : many) {
                ++id;
                coming.emplace_back(id,
                                    one.start("INSERT INTO big VALUES (" + std::to_string(id) +
                                              ", randomblob(3000))"));
            }
            for (auto& [number, one] : coming) {
                const auto done = client::take(std::move(one));
                if (!done.error)
                    kept.push_back(number);
                else {
                    EXPECT_EQ(done.error->sqlstate, "53100") << done.error->message;
                    ++full;
                }
            }
        }
        EXPECT_EQ(as.ask("SELECT count(*) FROM big"), std::to_string(kept.size()));
        disk_.room = INT64_MAX;
        ++id;
        EXPECT_GOOD(as.run("INSERT INTO big VALUES (" + std::to_string(id) + ", 'room')"));
        kept.push_back(id);
    }
    database_.reset();
    opened after(with_.path);
    EXPECT_EQ(after.ask("PRAGMA integrity_check")[0][0], "ok");
    const auto rows = after.ask("SELECT id FROM big ORDER BY id");
    ASSERT_EQ(rows.size(), kept.size());
    for (std::size_t i = 0; i < kept.size(); ++i)
        ASSERT_EQ(rows[i][0], std::to_string(kept[i]));
}

TEST_F(PowerTest, AFlushThatFailsIsToldAndTheNextOnesWork)
{
    start();
    std::this_thread::sleep_for(50ms);
    stop();
    // Alone: the commit's own flush; with others: the shared one, or the group's. (Or a
    // checkpoint's, which is nobody's error.)
    int unknown = 0;
    for (const int clients : {1, 5}) {
        for (int round = 0; round < 20; ++round) {
            std::vector<client> many;
            for (int i = 0; i < clients; ++i)
                many.push_back(connect());
            disk_.failing_flushes = 1;
            std::vector<std::future<outcome>> coming;
            for (std::size_t i = 0; i < many.size(); ++i)
                coming.push_back(many[i].start(
                    (round % 2 ? "UPDATE t SET n = n + 1 WHERE w = "
                               : "WITH x(a) AS (SELECT 1) UPDATE t SET n = n + 1 WHERE w = ") +
                    std::to_string(i)));
            for (auto& one : coming) {
                const auto done = client::take(std::move(one));
                unknown += done.error ? 1 : 0;
                if (done.error) {
                    EXPECT_TRUE(done.error->sqlstate == "08007" || done.error->sqlstate == "58030")
                        << done.error->sqlstate << done.error->message;
                }
            }
            disk_.failing_flushes = 0;
            auto as = connect();
            EXPECT_GOOD(as.run("UPDATE t SET n = n + 1 WHERE w = 0"));
        }
    }
    EXPECT_GT(unknown, 20);
    EXPECT_EQ(connect().ask("PRAGMA integrity_check"), "ok");
}

}  // namespace sluice::sqlite
