// Package writer puts the results of a run where they belong, in a directory
// or a bucket, makes them current in one step, and reads them back.
//
// # Keys
//
// Everything lies under the place that --out names:
//
//	runs/2024-07/<run_id>/                  one run; never changes, never shrinks
//	    charges/2024-07-03/part-0000.parquet    charges by billing date
//	    summary.parquet       summary.csv       charges counted and added up
//	    statements.parquet    statements.csv    what each account owes
//	    differences.parquet   differences.csv   what the invoices say, minus that
//	    recharges.parquet     recharges.csv     what became of each recharge
//	    findings.parquet      findings.csv      what a person should look at
//	    rejects.parquet       rejects.csv       rows that could not be used
//	    adjustments.parquet   adjustments.csv   what changes in a closed month
//	    report.html                             the same for people
//	    manifest.json                           what all of it is; written last
//	simulations/2024-07/<run_id>/           what other prices would charge: as a run,
//	                                        and nothing names it
//	current/2024-07.json                    names the run that counts
//	sealed/2024-07.json                     closes the month; never changes
//	adjusted/2024-07.json                   names the newest run that adjusts it
//	checkpoints/2024-07-03/<sha256>/        what a later run may start from
//	current/.lock, .tmp/                    of a directory only
//	.probe/kept                             of a bucket only
//
// .probe/kept is one small object by which conditional writes are tried once a
// run knows that it has something to publish; it stays. Where there is a
// .probe/never, the store once took a write that was to replace what is not
// there, and is not trusted until somebody removes it. A file below a run that
// its manifest does not name is no part of the run.
//
// A period is 2024-07 for a whole month, 2024-07-03 for a day, and else
// 2024-07-01_2024-07-15. A run id is a hash of what the run was made from, so
// that two runs of one id write the same bytes under the same keys.
//
// # Tables
//
// The columns are those of the contract: ChargesSchema and its neighbours. A
// run that has the provider's book beside the one that is sold by has costs in
// its charges and margins in its summary: CostChargesSchema and
// CostSummarySchema.
//
// In Parquet a text is a STRING, a date a DATE, an instant a TIMESTAMP in
// milliseconds adjusted to UTC, a price or an amount of one charge a
// DECIMAL(18,6) on INT64, and a sum a DECIMAL(38,6) on 16 bytes. Row groups
// hold 32768 rows. Pages are compressed with zstd. created_by is "waconcile"
// for every version: the bytes of a table follow from its rows, not from the
// frames in which they were handed over, the machine or the time. The CSV
// files have the same columns and rows; a null is nothing between two commas. An
// amount has six decimals there or, in statements, those of its currency's
// minor unit: an invoicing program takes 11 yen and refuses 11.000000.
//
// The manifest holds, for each file, rows, bytes, sha256 and the total of each
// column of counts or amounts.
//
// # Files that wait
//
// A run writes its data files early and makes them visible at its end, a file
// of charges for each billing date, so that many of them wait at once. An
// Upload that is sealed is therefore a file without a descriptor and takes no
// memory: for a directory below its .tmp, from which Commit renames it; for a
// bucket in the directory for temporary files of this machine, with rights for
// the owner alone, from which Commit sends it. Nothing is in the bucket
// before. So a run to a bucket needs local disk for all of its data files at
// once. Commit and Abort remove the file. A crash leaves it where it is, under
// a name that no run reads, waits for or removes: .tmp/* and, in the directory
// for temporary files, waconcile-upload-* may be deleted while no run is
// working. A crash amid a Commit to a bucket may leave parts of an upload that
// no listing shows, for a lifecycle rule of the bucket to remove.
//
// # The commit of a run
//
// In this order, and what a crash after each step leaves. "The same run" is the
// same command over the same inputs.
//
//	step                                              a crash after it leaves             who repairs it
//	1  data files staged: below .tmp, or in the       temporary files that no run reads   somebody deletes them while no
//	   directory for temporary files                                                      run is working
//	2  data files, each visible whole or not at all   a run without a manifest, which     the same run: same bytes, same
//	                                                  no reader takes for one             keys; if it never comes, gc
//	3  checkpoints/{date}/{sha256}/: tables first,    a checkpoint without its header,    the same run; else nobody needs
//	   checkpoint.json last                           which no run takes for one          to: other runs read back
//	                                                  or a whole one, which any run of
//	                                                  the same inputs may start from
//	4  read-back: every object, every footer,         as 2 and 3: it writes nothing       as 2
//	   some row groups
//	5  manifest.json, only if there is none, and      a complete run that is not current  the same run: it reads all of it
//	   read back                                                                          back and moves the pointer
//	6  one listing shows every file of the manifest   as 5: it writes nothing             as 5; where a file is gone, the
//	                                                                                      same run writes all of them again
//	7  current/{period}.json, or adjusted/… of a      the run is published                nobody
//	   closed month, only if it is still the one
//	   that was read (none: If-None-Match, else
//	   If-Match)
//
// The checkpoint of the first day of the period would make the same command
// another run, so that one is written after step 7; a crash before it costs a
// later run the time to read back, nothing else.
//
// After an error at step 5 or 7 what is there is read back, and only that
// decides. Our own bytes: the step took place, go on. Somebody else's:
// ErrConflict, another run won, ours is complete beside it. Nothing new: the
// step is taken again, three times at the most, and then its error is that of
// the run. Not readable, or nothing new and a try without an answer, which may
// still arrive: ErrOutcomeUnknown; the same command again finds out. A run that
// is stopped begins no step, and waits for one that it has begun, for at most
// half a minute each time. The client of a bucket never sends these requests
// twice by itself. A file that is not what was written, at step 4, 5 or 6, is
// ErrVerify, and the pointer stays. No run deletes anything, on no path.
//
// A simulation takes the same steps but for 3 and 7: it writes no checkpoint,
// and with its manifest it is there, for whoever asks for it by its key. Its
// manifest has "simulation", and the plan that every account was on. Nothing
// outside its prefix is written, and what a crash leaves is of step 1, 2 or 5
// as above; the same simulation again finds a whole one, and writes any other
// anew. It builds on no run: it neither adjusts a closed month nor takes
// adjustments in.
//
// # What dead runs leave, and its removal
//
// RemoveGarbage takes away a prefix under runs/ or simulations/ without a
// manifest, or one under checkpoints/ without checkpoint.json:
//
//	step                                                 a crash after it leaves            who repairs it
//	1  a tombstone, {"removed": true, …}, in the place   a prefix that no run can be        the next gc, from an hour
//	   of the manifest, only if there is none            published under                    after this step on
//	2  every other file below the prefix is removed      the same, with fewer files         the same
//	3  the tombstone is removed                          nothing
//
// A tombstone is no manifest for any reader. A run that writes below the prefix
// meanwhile is refused its manifest where it comes between 1 and 3, and after 3
// finds in the listing before its pointer that files are not there; one that
// has its manifest before 1 keeps everything. The next time it is done it
// writes all of it again. A tombstone is taken over by a write under the
// condition that it is still the old one, so that of two removals one goes on:
// each looks, before every object that it removes, whether the tombstone is
// still its own, and stops half an hour after it has written it. Checkpoints
// are the same but for the listing: one whose files were removed while it was
// written is refused by whoever reads it.
//
// # Closing a month
//
// SealPeriod closes a month in two steps. One conditional write gives the
// pointer the mark "sealed": true, which is what decides: a run in flight has
// moved the pointer before, and then the closing fails, or it never will. Then
// sealed/2024-07.json is created, which follows from the pointer:
//
//	{"period": "2024-07", "run": "runs/2024-07/<run_id>/", "manifest_sha256": "…"}
//
//	step                                                 a crash after it leaves            who repairs it
//	1  the mark on current/2024-07.json                  a month that is closed without     closing it again, or the
//	                                                     its seal                           month's next run
//	2  sealed/2024-07.json, only if there is none        a closed month                     nobody
//
// A later run of the month with other inputs publishes under runs/ like any,
// and moves adjusted/2024-07.json in place of the month's pointer, by the same
// rules. Its manifest names, among its inputs, the manifests of the runs that
// it builds on, with their sha256: the sealed run (table "sealed") and each run
// that adjusted the month before (table "adjustments").
//
// Its table of adjustments says what it changes. What is billed are the
// charges of the sealed run, changed by the adjustments of every run since, in
// their order. A billed charge that the run does not have, or has with another
// value in any column but messages_out, messages_in and certainty, is taken
// back; a charge that is not billed, or not so, is made. So is one with an
// amount whose VAT rate is now another. A charge that changes is two rows,
// never one with the difference. The columns are those of charges and then
//
//	kind           reversal: the charge as it was billed, its amount negated;
//	               replacement: the charge as the run has it
//	sealed_run     runs/2024-07/<run_id>/ of the sealed run
//	adjustment_id  a hash of run id, kind and charge_id, in hex
//	vat_rate       reversal: the rate that the charge was billed at;
//	               replacement: that of the run's accounts on its billing date
//
// sorted by billing_date, account_id, business_number, contact, opened_at,
// category, charge_id and kind, the reversal first.
//
// No table says at which VAT rate a charge of the sealed run was billed, but
// its statements do, for an account and a currency; a charge that an adjustment
// made has the rate in that row. Where an account has statements at several
// rates, a charge was billed at the one that the run's accounts have on its
// date, provided that they explain the statements: that the charges of the
// dates of each rate come to what was stated at it. A run whose accounts do not
// is refused, since nobody could know what to credit: an account that changed
// its rate within the month keeps its rows of that month in the accounts table,
// and what was wrong with them is credited by hand.
//
// The statements of a month that is open take in the adjustments of the closed
// months right before it, back to the first month that is not closed, but for
// the runs that the sealed run of a closed month took in already; the manifest
// names them (table "adjustments_taken"). So each is billed once, by the month
// that is closed first, however often the open month is run. A run of a closed
// month takes in what its sealed run did. These are rows of their own, with the
// closed month in the column adjusted_period, which is null for the month's own
// charges; the VAT rate is that of the adjustments, whatever the accounts of
// the run that takes them in have; charges and unrated are replacements less
// reversals, and every figure may be negative.
//
// When VAT is due on what recharges pay (the setting vat_at) is that of the run
// that a closed month was billed by, for every run that adjusts it and for the
// rows in which adjustments are taken in: the setting says how the recharges
// were sold, and those that paid for the month have been. Another setting is
// not refused, since one configuration runs all months, and not followed
// either: it would tax again what bore VAT, or take back VAT that nobody was
// asked for. A month that was closed with the wrong one is put right by hand.
//
// Verify looks at all of this. Of the run that a closed month was billed by,
// and of every run that adjusts it: pointer and seal name one run, which is the
// one that is adjusted, and all runs that adjusted/2024-07.json leads to are
// there and adjust that one. Of a run that takes adjustments in: the months
// from the adjusted one on are closed, the pointer of what adjusts it leads to
// each, and the sealed run of no month between takes it in as well; no manifest
// names a run twice. A month of which a crash has left only the mark is no
// damage as long as nothing has adjusted it, and neither is a run that another
// has overtaken.
//
// # What a reader may rely on
//
//   - A directory under runs/ or simulations/ without manifest.json does not
//     exist.
//   - No pointer, seal or manifest names anything under simulations/.
//   - The pointer changes in one step, from one complete run to another. Its
//     manifest_sha256 is that of the manifest that it names, and the manifest
//     has the sha256 of everything else.
//   - What a pointer or a manifest has ever named stays where it is.
//   - Every control total of a manifest held when the run was published.
//   - A pointer that is marked sealed never changes again.
//   - Charges are sorted within a file by account_id, business_number,
//     contact, opened_at and category; charge_id is unique.
//
// # Two libraries
//
// Tables are written by this package and arrow: values are encoded here, from
// whole batches; arrow compresses the pages, makes their headers and statistics
// and the footer. The pages are those that arrow's own column writers would
// write, at a fraction of the time; those of ids and instants, which are most of
// a file, are in zstd frames made here (stride), since no encoder has to look
// for what they have in common. Tables are read back through
// xitongsys/parquet-go, which shares no code with them: a mistake of the one
// does not hide a mistake of the other. ReadBack does so for some row groups of
// every file before a run is published, Verify for a whole run, of which it
// recomputes every figure that its tables know. ReadTable is the quick way
// back, ten times as fast, through the library that wrote: for programs that
// use a table whose sha256 they have compared, and no proof of anything.
package writer
