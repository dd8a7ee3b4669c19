// Package report renders report.html: one run for people. It is a single page
// without script, network or fonts of its own, so that it can be mailed,
// archived and printed; the same Data gives the same bytes.
//
// The page holds, in this order: what the run is; totals per currency; a
// statement for each account; conversations and cost by day as charts, with
// their figures in a table; cost by market and category; where there are two
// books, cost and margin by account, market and category; differences by class
// and then each of them, the largest first; findings; rejected rows; control
// totals; inputs; files.
//
// Contacts and message ids are shown masked. Long lists are cut, and say how
// much is left out and in which table all of it lies.
//
//	data.go      what the caller fills in
//	write.go     Write and the template
//	view.go      the page's head and totals; the other sections have files of
//	             their own: markets.go, margins.go, differences.go, records.go
//	chart.go     days as bars, in whole units of the drawing
//	format.go    amounts, counts, masks
//	words.go     what classes, kinds and reasons mean, in a sentence
package report
