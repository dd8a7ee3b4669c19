// Package controlplane gives tests a real Kubernetes control plane: etcd, the
// API server and the controllers of jobs, on loopback and without nodes. Pods
// stay pending until a test plays the node.
//
// The programs, and kubectl of the same version, are built from their Go
// modules into the user's cache directory, once for all runs; that takes about
// 7 minutes on two processors. WACONCILE_TEST_CONTROL_PLANE names a directory
// to take them from instead.
//
// It is for tests only.
package controlplane
