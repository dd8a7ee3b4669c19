// Package reconcile holds the billing rules and nothing else: no input or
// output, no clock, no goroutine, no log.
package reconcile
