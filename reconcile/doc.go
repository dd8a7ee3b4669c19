// Package reconcile holds the billing rules and nothing else: no input or
// output, no clock, no goroutine, no log. It turns blocks of message rows
// into conversations, conversations into priced charges, and charges and
// invoice lines into statements and differences.
//
// # From rows to conversations
//
// An Engine takes rows, Packed, in any order and folds them day by day:
//
//  1. Merging. Rows of one pair and message id are one message, with the most
//     advanced status and the earliest delivery times (contract, merging).
//  2. Counting. A message that failed or is of an ignored type never counts
//     (R2), nor, on basis delivered, one that was not delivered. The others
//     count at their event time.
//  3. Order. A pair's messages are taken by event time, inbound first, then
//     templates (marketing, utility, authentication), then free-form, then by
//     message id (R1).
//  4. Folding. Pair is the step function of R3 to R9: a template opens or
//     joins the conversation of its category (R3), a free-form message joins
//     what opened last or opens a service conversation inside the customer
//     service window (R4, R5), an inbound message renews the window and is
//     counted where something is open (R6). Conversations and windows are
//     half-open spans of 86,400,000 ms (R7).
//
// # What an Engine holds
//
// The rows of days not yet folded, packed; the pairs that something may still
// be open of; and messages that were sent but count on a later day. All of it
// lies in parts by the hash of the pair, and a day is folded one part after the
// other: its rows are sorted by their pairs, merged and stepped, what has ended
// is handed on, and its memory goes to the next rows. So what is looked up in
// no order is small, and an engine that has warmed up allocates nothing for a
// row.
//
// # From conversations to money
//
// Markets finds the place of a contact by longest prefix (R11), RateBook the
// price for plan, place, category, unit and billing date (R10), Pricer joins
// them with the account's terms. Prices are Micros, millionths of a unit;
// sums are decimals. Summary counts charges by all that a price depends on,
// Statements round once per account, currency and VAT rate (R13), what
// recharges paid apart from what is to pay, and Pool holds the lines of
// invoices against Usage, cell by cell, with four effects that add up to each
// difference.
//
// Ledger has the charges of prepaid accounts draw on their Recharges, first in,
// first out (R12): charges are given in their order within an account, from the
// first purchase on, and each is told which recharge pays for it, at the price
// of that recharge's plan. It knows what became of each recharge in the period
// (RechargeMovement), what was left at the midnights of checkpoints, and what
// will soon expire or run out (Outlook).
//
// Billed holds what is billed of a closed month, the charges that were sealed
// with all adjustments since, against the charges of a later run, and gives
// the reversals and replacements between them.
//
// # Looking through the tables
//
// Lint looks through rates, accounts, markets and recharges for what would
// leave charges of a period unrated or wrong, which follows from the dates on
// which a plan is used and the unit that the rules charge by (Rules.Billed).
// DiffRates compares two rate books by what they hold when. Candidates, of
// RateBook and of Markets, gives the row that a lookup finds and those that
// lost.
//
// # Source
//
// R1 to R13 are the conversation rules as a reseller published them on
// 3 July 2024.
package reconcile
