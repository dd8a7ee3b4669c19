// Package bench measures what the job costs, and says it in figures that mean
// the same on any machine: ratios of two runs, peak memory, and one time.
//
// Its parts, in their order:
//
//  1. MakeSet makes exports with rates and accounts. Messages come from
//     threads, each a story between one business number and one contact: a
//     campaign, a support chat, one-time passwords or an order, three and a
//     half messages on average. Threads are drawn by the day on which they
//     start, and what they run on into waits for its day, so that memory
//     follows a day and not the set. The same options give the same bytes.
//  2. Decode is what the job is measured against: it decodes the columns of
//     the exports by the library's own readers and looks at nothing.
//  3. Run makes the sets that the figures need and measures their sides in
//     rounds. A side is one process, such as the whole job on the month; a
//     round measures each once, in turn, so that what slows the machine down
//     meets all of them.
//  4. A Result has for each figure the median over the rounds: of the ratio
//     of its two sides within a round, or of what one side took.
//
// Everything that is measured, and the making of the sets, is a process of its
// own, started from the program itself. Run stays small on purpose: on Linux the
// peak of a process is at least what its parent had in memory. All that Run does
// itself is to send a set to a bucket, which takes some tens of MiB.
//
// Nothing is asserted on time. What is checked is that the measured job did
// what it was measured for: that it read all rows, refused none, and published
// or found the run that was there.
//
// The layout of the directory:
//
//	.waconcile-bench                    says that the rest may be made anew
//	month/ tenth/ days/                 sets of data, kept if the directory is
//	    exports/dt=2024-07-01/part-0000.parquet
//	    rates.csv accounts.csv
//	    set.json                        what the set was made with; written last
//	out/                                results of the runs of one round
package bench
