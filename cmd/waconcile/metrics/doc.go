// Package metrics says in Prometheus' terms what a run has come to.
//
// A run is a job that ends, which nobody can scrape: its figures go to a file
// for the textfile collector of node_exporter, or to a Pushgateway, or both.
// All are gauges.
//
// # Two kinds of figures
//
// Those of the last run, whatever became of it: its end, exit code, seconds,
// peak memory, missing days. And those of the last run that was published,
// which a run that fails leaves as they are: rows, charges, amounts, the time
// of the last success.
//
// So a run that is published replaces all there is, and what was once counted
// and has nothing any more goes away with it; of the last failure too. A run
// that fails replaces what it has, by name. On a Pushgateway that is PUT and
// POST; a file is read first, and keeps the families that are not anew and have
// the same labels. What it did not get to know stays as well, missing days above
// all: they are no less missing for a store that does not answer. One that is
// published, and whose tables cannot be read back, is a success that leaves the
// figures as they are.
//
// # Groups
//
// On a Pushgateway the group is job="waconcile" and the labels that were asked
// for, in a file they are labels of every series. They are for what runs beside
// each other for good, such as the nightly and the month-end job: two jobs with
// the same labels overwrite each other. Nothing of a single run is a label:
// neither its id nor its period.
//
// # Amounts
//
// A sample is a float64, the one place where money is one: it is exact up to
// 15 digits, and for looking at. What is billed stands in the statements.
package metrics
