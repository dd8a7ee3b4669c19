// Package demo makes a month of believable inputs in a local directory:
// message exports, rates, accounts, and invoices of which one is right and
// one has mistakes planted in it.
//
// The month is July 2024. Exports reach from 27 June to 3 August, so that a
// run finds every day that July touches in the accounts' time zones, the days
// before it that it looks back to and the late days after it.
//
// Messages come from stories: a campaign sent to many contacts within the
// hour and what some of them answer, a support chat, one-time passwords, the
// updates of an order. A story is drawn on the day on which it starts and may
// run on into later days. A day is complete once its stories are drawn: it is
// then put into about the order of its minutes, written by a goroutine of its
// own, and forgotten. Memory so follows a day, not the month.
//
// Everything is drawn from one seeded generator in one goroutine: the same
// number of messages and the same seed give the same bytes.
//
// The layout of the directory:
//
//	.waconcile-demo                     says that the rest may be made anew
//	exports/dt=2024-07-01/part-0000.parquet
//	rates.csv accounts.csv
//	invoices/bottega-rosa.csv           right in every line
//	invoices/hudson-outfitters.csv      with mistakes
//	waconcile.yaml                      names all of them, relative to itself
//
// A crash leaves part of that, under the first file, and the next Make begins
// anew.
package demo
