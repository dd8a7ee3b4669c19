// Package batch does a run of the job: it joins the reader, the rules and the
// writer, and knows nothing of their forms and formats.
//
// # The steps of a run
//
//  1. Plan. The tables are read; the period's billing dates, seen in the time
//     zones of the accounts, give the UTC days that must be there; some days
//     after them are read too. Their files are listed and identified. If the
//     period's pointer names a run of the same inputs, and a listing shows all
//     its files, there is nothing to do.
//  2. Start. The newest checkpoint that can be used, not after those days, is
//     what the run starts from; without one it reads back some days before
//     them. That history, the inputs, the settings and the versions make the
//     run id. If that run is complete but not current, the pointer moves to it.
//  3. Footers. Every file's footer is read, so that a file which is refused
//     stops the run before any is decoded.
//  4. Ahead. Rows that lie in a partition more than LateDays after the day
//     they were sent would come too late for a passage by days. The files'
//     statistics tell which row groups have any; those are decoded first.
//  5. Passage. The files are decoded in the order of their days, several at
//     once. Rows go by hash of the contact to shards, in blocks of thousands;
//     each shard is one goroutine that owns an engine of package reconcile.
//     As soon as all files up to a partition are done, the shards fold the
//     days of which no row can come any more, by LateDays or by the statistics
//     of the files still to come, price what has ended, and hand the charges
//     of finished billing dates to the tables. There the charges of prepaid
//     accounts draw on their recharges, one date after the other, before the
//     date is written, beside the passage. What is written stays invisible. So
//     memory follows a day and the open pairs.
//  6. Repeats. Rows of one message that claim to have been sent on different
//     days escape a passage by days. A log of message hashes finds them; if
//     there are any, the passage is done again with those messages brought
//     together first. After the last passage the charge tables become
//     visible: a run prefix never holds bytes that are not final.
//  7. Sums. The shards' counts are added up to the summary, the statements
//     and the differences; the control totals are checked.
//  8. Publication. The remaining tables, the report and the checkpoints are
//     written, everything is read back, then come the manifest and the pointer.
//
// # Stages
//
// Whoever watches a run (Job.Stages) is told as each part of these steps begins
// and ends, what it has come to, and why it failed: what logs, metrics and
// traces are made of, of which this package knows nothing. Stages follow each
// other. Those beside each other, such as decoding, folding and writing charges,
// are one: read.
//
// # Passes
//
// Steps 4 to 6 hold rows of a few days, the pairs that are open and charges that
// are not final. The footers of step 3 tell about how much that is; where it is
// more than Memory allows, contacts are split by hash into shares, and each share
// takes the steps by itself, in a pass that decodes the exports anew. A contact's
// messages meet those of no other, so nothing comes out differently. What is
// read is counted in the first pass, what becomes of it is added up over all.
//
// What follows contacts or messages waits in temporary files meanwhile (package
// spill): charges by billing date and by the files that they go to, of which one
// at a time is then written; findings, and the states of checkpoints, sorted, to
// be merged. The state that a run starts from is read by each pass, where it is
// large. In memory stay handles of texts and groups of charges.
//
// The estimate knows rows, not what is in them. A pass during which memory gets
// short after all is given up, and it and those that are left are done in
// halves. A run that was to have one pass then has two.
//
// # Recharges
//
// A charge is paid by what is left of recharges when it opens (R12), so charges
// of an account meet, whatever their contacts, and those before the period count:
// where recharges are given, a run reads back to the first purchase, and lookback
// days more so that it knows what was open then. Charges of prepaid accounts with
// a billing date before the period are made, draw, and are let go. Days that are
// not there any more are told of by the log, the manifest and the report. A run is
// the same only where the exports since the first purchase are, as far as they are
// still there: the manifest has a hash for each day.
//
// A date's charges are complete before those of the next are, and within a date
// they are sorted by account and instant, so that what a recharge pays follows
// from the data alone. With several passes they wait in the temporary file; then
// those of a date are read back in spans of time, as many as memory needs, and
// what each was drawn to is noted beside the file.
//
// A checkpoint has what was left of each recharge at its midnight, when all
// charges opened before had drawn. Every charge of a period opens after the
// midnight of any checkpoint that a run of it may start from, so none draws
// twice. What was left depends on recharges, rates, accounts and markets as well
// as on the exports: for each account a hash of these, as they held by then, stands
// beside it, and another hash is a reason not to use the checkpoint.
//
// # Checkpoints
//
// As the passage by days goes over certain midnights, each engine hands out its
// state there, and the states of all shards make a checkpoint (package
// checkpoint). A run takes two: one at the beginning of the first day that the
// next period touches, and one at the last midnight that no row of a day after
// the period's can bear on, which is the one that tomorrow's run starts from
// where such a day still grows tonight. Neither where a day that it is made
// from is missing, or where a row bears on it that came later than it says.
//
// A run that starts from a checkpoint reads the partitions from its day on.
// Rows of messages that counted before are counted as such, and as late where
// no run before can have seen them. What the state holds is merged with its
// further rows first, then all goes on as if everything had been read.
//
// A checkpoint is refused, with a reason in the log, where rules, settings,
// columns or the basis of an account that occurred are not this run's; where
// balances of recharges were made by other prices; where
// the listing shows other objects than those that it or a parent of it was made
// from, as far as their days are still there; where reading back would go
// further than what it was made from; where a file of it is damaged; or where
// days are missing between it and those that reading back would take. Of
// several of one day the one that knows most is taken.
// Objects in a directory are known by their sha256, so that all days which a
// checkpoint descends from are read for it once more; in a bucket the listing
// tells.
//
// # Two books
//
// Where the provider's rates and accounts are given, each group of charges that
// are alike has a second rating beside its price, by the provider's own table of
// markets; what tells groups apart is then both places of a contact. Messages
// are folded once, by the time zones and bases that both tables of accounts must
// have in common. In step 7 the summary gets costs and margins, and the invoices
// are compared with the book that InvoiceBook names. Statements and adjustments
// know nothing of it.
//
// # A closed month
//
// Close seals the current run of a month. From then on a run of it does the
// same steps, and is compared in step 2 with the newest run that adjusts the
// month, or else with the sealed one. In step 7 it compares its charges with
// what is billed, a billing date at a time: in the first reading with a hash
// of each billed charge, in a second, where some are to be taken back, to find
// these. A date whose files are the sealed ones, and which no run has adjusted
// since, is not read. In step 8 the pointer of the adjustments moves, never
// that of the month. A run of an open month reads, in step 7, the adjustments
// of closed months that its statements take in; which these are is known in
// step 1 and part of its inputs.
//
// # Simulations
//
// A simulation is a run by other rates, markets, accounts or recharges, or with
// every account on one plan (Config.Simulation). It takes the steps above.
// Step 1 finds the run that counts, which it is to be compared with, and looks
// among the simulations of the period for the same one, whatever history that
// was made with: if it is complete, it is not made again. Step 2 may start from
// a checkpoint. In step 7 nothing is adjusted and no adjustments are taken in,
// be the month closed or open. Step 8 writes no checkpoint, and ends with the
// manifest: no pointer moves, and nothing outside
// simulations/{period}/{run_id}/ is written.
//
// CompareSimulation holds its summary against that of the run that counts. That
// may be another run tomorrow, and the simulation never changes: so the
// comparison is printed, and is no part of what is published.
//
// # Before a run
//
// Examine makes, one by one, the checks that a run would make on its way, and
// some that it would not: it goes on where a run stops, reads footers and no
// more than a column of some files, looks for no checkpoint, and writes nothing
// but what the store is probed by. A check that does not hold keeps those from
// being made that need it.
//
// # What a crash leaves
//
// Up to step 6: temporary files. Then, up to and including the tables of step
// 8: files below a run prefix without a manifest, which does not exist for any
// reader; the same run, started again, writes the same bytes over them.
// Between manifest and pointer: a complete run that is not current; the same
// run, started again, moves the pointer. After the pointer: nothing is left to
// do. A simulation leaves files below its prefix without a manifest, which the
// same simulation writes anew; after its manifest nothing is left to do.
//
// Checkpoints before the manifest are such that the same run, started again,
// does not start from them: it stays the same run. One that it could start from,
// at the beginning of its own period or before, is written after the pointer; a
// crash before that costs the next run time.
//
// # What a run costs
//
// Of a month of 20.9 million rows in a directory, 935 MB as DuckDB writes them,
// with 6.2 million charges: 6.0 s on two processors of an Intel Xeon, 11.1 CPU seconds, 450 MB.
// A bare decode of the columns that are needed took 2.1 s, and 3.7 CPU seconds,
// in the same hour. By a CPU profile (waconcile run --cpuprofile) that goes into
//
//	decoding                            2.1 s   0.8 of it snappy
//	routing rows to the shards          0.5 s
//	folding: adding, order, rules       3.2 s   with pricing
//	repeated messages, findings         0.5 s
//	charges: dealing, sorting, layout   1.3 s
//	charges: encoding, compressing      1.4 s   0.9 of it compressing
//	charges: writing, sha256            0.3 s
//	sha256 of the exports               0.7 s
//	reading back                        0.5 s
//	the other tables                    0.5 s
//	the garbage collector               0.2 s
//
// Nothing stands out any more: the largest single functions are memmove (a
// ninth), sha256 and snappy. What all of it waits for is memory: rows and charges
// are copied from the decoder to a shard and to a part of their day, from the
// open pairs to their date, to their business number and to their columns, each
// time to where no processor has looked for long. To have the routers fill the
// parts of days themselves was tried and is no faster, since what takes the time
// is to write a row to such a place, and not to copy it; smaller rows are the
// next step. Both processors are busy but for half a second in all: while one
// shard folds longer than the other, and while sums are made.
//
// # What the bytes depend on
//
// The inputs, the settings that are part of the run id, and nothing else: not
// the number of workers, nor the order in which files are decoded or handles
// are given out. Everything is sorted by its texts before it is written.
package batch
