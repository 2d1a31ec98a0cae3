// pool/dispatcher.cpp: lines, limits, and who is let in when.
#include "pool/dispatcher.hpp"

#include <algorithm>

#include "proto/core/errc.hpp"

namespace sluice::pool {
namespace {

service class_of(priority of) noexcept
{
    switch (of) {
        case priority::high:
            return service::high;
        case priority::normal:
            return service::normal;
        case priority::low:
            return service::low;
    }
    return service::normal;
}

}  // namespace

account::account(dispatcher& home,
                 std::shared_ptr<tenant> of,
                 fair_time& time,
                 const std::vector<fair_line*>& lines)
    : home_(home), of_(std::move(of)), share_(time, lines)
{
}

candidate::~candidate()
{
    if (queued())
        payer()->home().remove(*this);
}

// --- slot

void slot::release() noexcept
{
    if (!std::exchange(running_, false))
        return;
    account& who = *of_;
    who.running_.fetch_sub(1);
    const bool others_wait = who.of_->finish();
    if (others_wait)
        who.home_.let_in(*who.of_);
    if (who.of_->limits().min_reserved > 0 && who.home_.contended()) {
        const dispatcher::guard held(who.home_.lock_->mutex);
        who.home_.refresh(who);
    }
}

void slot::charge(cost used) noexcept
{
    dispatcher& home = of_->home_;
    if (charged_.count() > 0 || home.contended()) {
        const dispatcher::guard held(home.lock_->mutex);
        of_->share_.settle(charged_, used);
        if (used <= dispatcher::spaced_least / 4)
            home.short_at_ = std::max(home.short_at_, started_);
    }
    forget();
}

void slot::finish(steady_clock::time_point now) noexcept
{
    release();
    // What was used while there was enough for all is nobody's loss. Who waited knows that there
    // was not.
    const auto begun =
        charged_.count() > 0 ? started_ : std::max(started_, of_->home_.contended_since_.load());
    charge(std::max(cost::zero(), cost(now - begun)));
}

void slot::take_back() noexcept
{
    account& who = *of_;
    if (charged_.count() > 0) {
        const dispatcher::guard held(who.home_.lock_->mutex);
        who.share_.undo(charged_);
    }
    who.running_.fetch_sub(1);
    who.of_->take_back_start();
    forget();
}

void slot::forget() noexcept
{
    account* const who = std::exchange(of_, nullptr);
    running_ = false;
    who->slots_.fetch_sub(1);
}

// --- dispatcher

dispatcher::dispatcher(std::shared_ptr<scheduler> common,
                       std::size_t workers,
                       bounds within,
                       std::function<void(std::size_t)> wake)
    : lock_(std::move(common)),
      within_(within),
      wake_(std::move(wake)),
      ready_(workers),
      on_(workers),
      to_tell_(workers)
{
    for (std::size_t i = 0; i < workers; ++i) {
        lines_.push_back(std::make_unique<fair_line>());
        line_list_.push_back(lines_.back().get());
    }
    refused_ = std::make_unique<fair_share>(time_, line_list_);
    refused_->unlist();
    own_ = account_of(std::make_shared<tenant>("", std::make_shared<const tenant_limits>()));
}

dispatcher::~dispatcher()
{
    const guard held(lock_->mutex);
    for (auto& [who, each] : accounts_) {
        unblock(*each);
        for (std::size_t i = 0; i < lines_.size(); ++i) {
            while (!each->share_.queue(i).empty())
                unlink(front(each->share_.queue(i)));
        }
    }
    for (std::size_t i = 0; i < lines_.size(); ++i) {
        while (!refused_->queue(i).empty())
            unlink(front(refused_->queue(i)));
    }
}

account_ref dispatcher::account_of(const std::shared_ptr<tenant>& who)
{
    const guard held(lock_->mutex);
    auto& found = accounts_[who.get()];
    if (!found)
        found = std::make_shared<account>(*this, who, time_, line_list_);
    return found;
}

account& dispatcher::payer_of(const candidate& r) noexcept
{
    return r.account_ ? *r.account_ : *own_;
}

slot dispatcher::try_start(account& who, steady_clock::time_point now) noexcept
{
    // Inside a tenant nobody is overtaken.
    if (who.queued_.load() > 0 || who.of_->try_start(now) != tenant::start::started)
        return {};
    who.running_.fetch_add(1);
    who.slots_.fetch_add(1);
    return slot(who, cost::zero(), now);
}

void dispatcher::set_bounds(bounds within)
{
    const guard held(lock_->mutex);
    within_ = within;
}

// Limits may have been replaced since the account was last looked at.
void dispatcher::refresh(account& who)
{
    const auto& limits = who.of_->limits();
    who.share_.set_weight(limits.weight);
    const bool below_reserve = who.running_.load() < limits.min_reserved;
    who.share_.set_class(below_reserve ? service::reserved : class_of(limits.priority));
}

std::error_code dispatcher::push(candidate& r, std::size_t worker, steady_clock::time_point now)
{
    const guard held(lock_->mutex);
    if (!r.account_)
        r.account_ = own_;
    account& who = *r.account_;
    tenant& of = *who.of_;
    const auto& limits = of.limits();
    fair_queue& q = who.share_.queue(worker);
    if (waiting_.load() >= within_.max_queued)
        return errc::pool_queue_full;
    if (q.control.overloaded() && limits.target_delay.count() > 0 &&
        q.size() >= q.control.allowed(limits.target_delay)) {
        if (!limits.dry_run) {
            of.count_refusal(limit::overload);
            return errc::overloaded;
        }
        of.count_would_refuse(limit::overload);
    }
    if (!of.enter_queue()) {
        of.count_refusal(limit::queued);
        return errc::tenant_queue_full;
    }
    waiting_.fetch_add(1);
    who.queued_.fetch_add(1);
    on_[worker].fetch_add(1);
    refresh(who);
    r.verdict_ = {};
    r.deadline_ = now + within_.queue_timeout;
    const auto own_end = now + limits.queue_timeout;
    r.tenant_deadline_ =
        limits.queue_timeout.count() > 0 && !limits.dry_run && own_end < r.deadline_;
    if (r.tenant_deadline_)
        r.deadline_ = own_end;
    lines_[worker]->push(q, r, now);
    if (!who.share_.blocked()) {
        if (!of.has_room())
            block_at_limit(who);
        else if (const auto at = of.next_token(); at > now && !limits.dry_run)
            block_until(who, account::block::rate, at);
    }
    publish(now);
    return {};
}

void dispatcher::remove(candidate& r) noexcept
{
    const guard held(lock_->mutex);
    unlink(r);
    publish(steady_clock::time_point{});
}

void dispatcher::unlink(candidate& r) noexcept
{
    fair_queue& q = *r.queue();
    const auto worker = q.worker();
    lines_[worker]->remove(r);
    if (q.empty())
        q.control.emptied();
    if (r.verdict_)
        to_tell_[worker].fetch_sub(1);
    else
        r.account_->queued_.fetch_sub(1);
    r.account_->of_->leave_queue();
    waiting_.fetch_sub(1);
    on_[worker].fetch_sub(1);
}

// --- limits

// In the lock's order: first it is said that somebody waits, then looked whether nobody has to.
void dispatcher::block_at_limit(account& who)
{
    tenant& of = *who.of_;
    who.share_.unlist();
    who.blocked_by_ = who.last_block_ = account::block::limit;
    of.blocked_accounts_.push_back(&who);
    of.blocked_.fetch_add(1);
    if (of.has_room())
        unblock(who);
}

void dispatcher::block_until(account& who, account::block why, steady_clock::time_point at)
{
    who.share_.unlist();
    who.blocked_by_ = who.last_block_ = why;
    who.token_at_ = at;
    for_tokens_.emplace(at, &who);
    publish_tokens();
}

void dispatcher::unblock(account& who)
{
    const auto why = std::exchange(who.blocked_by_, account::block::none);
    if (why == account::block::none)
        return;
    if (why == account::block::limit) {
        std::erase(who.of_->blocked_accounts_, &who);
        who.of_->blocked_.fetch_sub(1);
    } else {
        for_tokens_.erase({who.token_at_, &who});
        publish_tokens();
    }
    who.share_.list();
}

// A request of the tenant has ended; all its pools have the same lock.
void dispatcher::let_in(tenant& who)
{
    const guard held(lock_->mutex);
    const auto blocked = who.blocked_accounts_;
    for (account* each : blocked) {
        dispatcher& home = each->home_;
        home.unblock(*each);
        home.publish(steady_clock::time_point{});
        home.wake_for(*each);
    }
}

void dispatcher::wake_for(account& who)
{
    // Whoever waits longest; the others have their turn when it has been.
    fair_queue* first = nullptr;
    for (std::size_t i = 0; i < lines_.size(); ++i) {
        fair_queue& q = who.share_.queue(i);
        if (!q.empty() && (!first || q.first()->since() < first->first()->since()))
            first = &q;
    }
    if (first)
        wake_(first->worker());
}

void dispatcher::release_tokens(steady_clock::time_point now)
{
    const guard held(lock_->mutex);
    while (!for_tokens_.empty() && for_tokens_.begin()->first <= now) {
        account& who = *for_tokens_.begin()->second;
        unblock(who);
        wake_for(who);
    }
    publish(now);
}

void dispatcher::publish_tokens() noexcept
{
    token_due_.store(for_tokens_.empty() ? steady_clock::time_point::max()
                                         : for_tokens_.begin()->first);
}

}  // namespace sluice::pool
