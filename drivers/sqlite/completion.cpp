// drivers/sqlite/completion.cpp: letters into mailboxes, one wake of the loop for many.
#include "drivers/sqlite/completion.hpp"

#include <asio/post.hpp>

#include <algorithm>

namespace sluice::sqlite {

void mailbox::put(std::vector<letter>& letters)
{
    bool call = false;
    {
        const std::scoped_lock held(mutex_);
        auto keep = letters.begin();
        for (auto& each : letters) {
            if (each.box.get() == this)
                waiting_.push_back(std::move(each));
            else if (&*keep != &each)
                *keep++ = std::move(each);
            else
                ++keep;
        }
        letters.erase(keep, letters.end());
        call = !std::exchange(called_, true);
    }
    if (call)
        asio::post(loop_, [self = shared_from_this()] { self->open(); });
}

void mailbox::open()
{
    std::vector<letter> mine;
    {
        const std::scoped_lock held(mutex_);
        mine.swap(waiting_);
        called_ = false;
    }
    for (auto& each : mine) {
        auto* to = each.to.get();
        to->deliver(std::move(each.to), std::move(each.result));
    }
}

void deliver(std::vector<letter>& letters)
{
    std::erase_if(letters, [](const letter& each) { return !each.to; });
    while (!letters.empty()) {
        const auto box = letters.front().box;
        box->put(letters);
    }
}

}  // namespace sluice::sqlite
