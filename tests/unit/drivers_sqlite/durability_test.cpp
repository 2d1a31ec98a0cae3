// tests/unit/drivers_sqlite/durability_test.cpp: what was acknowledged survives kill -9.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>

#include "unit/drivers_sqlite/fixture.hpp"

namespace sluice::sqlite {
namespace {

// In the child: several clients insert their own ids for ever and tell each acknowledged one.
[[noreturn]] void write_until_killed(const std::string& path, std::int64_t first, int acks)
{
    options with;
    with.path = path;
    with.readers = 1;
    sql_error why;
    const auto database = database::open(with, why);
    if (!database)
        _exit(3);
    asio::io_context loop;
    const auto work = asio::make_work_guard(loop);
    std::thread runner([&] { loop.run(); });
    const auto insert = [&](std::int64_t id) {
        client c(*database, loop);
        for (;; id += 4) {
            if (id % 3 == 0)
                c.begin();
            const bool good = !c.run("INSERT INTO t VALUES ($1, zeroblob(3000))", {id}).error;
            if (!good || (id % 3 == 0 && c.commit().error))
                _exit(4);
            if (::write(acks, &id, sizeof id) != sizeof id)
                _exit(0);
        }
    };
    std::vector<std::thread> clients;
    for (int i = 0; i < 4; ++i)
        clients.emplace_back(insert, first + i);
    for (auto& one : clients)
        one.join();
    _exit(5);
}

TEST(SqliteDurability, AcknowledgedRowsSurviveKill9)
{
    std::string folder = (std::filesystem::temp_directory_path() / "sluice-XXXXXX").string();
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    const std::string path = folder + "/k9.db";
    std::set<std::int64_t> acknowledged;
    std::int64_t first = 1;
    for (int round = 0; round < 6; ++round) {
        int acks[2];
        ASSERT_EQ(::pipe(acks), 0);
        {
            // The table, and between the rounds the proof; no thread of ours outlives this block.
            options with;
            with.path = path;
            sql_error why;
            const auto database = database::open(with, why);
            ASSERT_TRUE(database) << why.message;
            asio::io_context loop;
            auto work = asio::make_work_guard(loop);
            std::thread runner([&] { loop.run(); });
            {
                client c(*database, loop);
                EXPECT_GOOD(c.run("CREATE TABLE IF NOT EXISTS t(id INTEGER PRIMARY KEY, b)"));
                EXPECT_EQ(c.ask("PRAGMA integrity_check"), "ok");
                auto kept = std::make_shared<rows_kept>();
                EXPECT_GOOD(c.run("SELECT id FROM t", {}, kept));
                std::set<std::int64_t> found;
                for (const auto& row : kept->rows)
                    found.insert(std::stoll(row[0]));
                for (const auto id : acknowledged)
                    EXPECT_TRUE(found.contains(id)) << id << " was acknowledged and is lost";
            }
            work.reset();
            runner.join();
        }
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            ::close(acks[0]);
            write_until_killed(path, first, acks[1]);
        }
        ::close(acks[1]);
        const int wanted = 37 + round * 90;
        std::int64_t id = 0;
        int seen = 0;
        while (::read(acks[0], &id, sizeof id) == sizeof id) {
            acknowledged.insert(id);
            first = std::max(first, id + 100);
            if (++seen == wanted)
                ::kill(child, SIGKILL);
        }
        ::close(acks[0]);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        EXPECT_TRUE(WIFSIGNALED(status)) << "exit " << WEXITSTATUS(status);
        EXPECT_GE(seen, wanted);
    }
    std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace sluice::sqlite
