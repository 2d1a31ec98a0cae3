// tests/unit/pool/holds_back_test.cpp: who could share a backend waits for an offer, instead of
// having one alone.
#include "unit/pool/shard_fixture.hpp"

namespace sluice::pool {
namespace {

using namespace test;

class holds_back : public shard_test {};

TEST_F(holds_back, WhoHoldsBackWaitsForAnOfferThoughABackendIsIdle)
{
    limits with;
    with.size = 3;
    make(with);
    ask();
    ask();
    turn();
    home().give_back(*clients[1].lease);
    client::full = true;
    ask(true);
    ask(true);
    client& alone = ask();
    turn();
    EXPECT_EQ(home().waiting(), 3u) << "nobody is overtaken, either";
    EXPECT_EQ(home().idle_count(), 1u);
    EXPECT_EQ(opening->asked, 2) << "more backends would be idle, too";
    home().offer(*clients[0].lease, 8);
    EXPECT_EQ(clients[2].joined, clients[0].lease);
    EXPECT_EQ(clients[3].joined, clients[0].lease);
    turn();
    EXPECT_NE(alone.lease, nullptr) << "who would not share has the idle one then";
    EXPECT_EQ(order, (std::vector{0, 1, 2, 3, 4}));
    home().give_back(*clients[0].lease);
    home().give_back(*alone.lease);
}

TEST_F(holds_back, WhoHeldBackGetsABackendWhenThereIsRoomForOneMore)
{
    limits with;
    with.size = 1;
    make(with);
    ask();
    turn();
    client::full = true;
    client& held = ask(true);
    home().give_back(*clients[0].lease);
    turn();
    EXPECT_EQ(held.lease, nullptr);
    EXPECT_EQ(home().idle_count(), 1u);
    client::full = false;
    home().post_fill();
    turn();
    EXPECT_EQ(held.lease, clients[0].lease);
    home().give_back(*held.lease);
}

}  // namespace
}  // namespace sluice::pool
