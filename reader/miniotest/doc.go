// Package miniotest gives tests an S3 store: a real MinIO server that lives as
// long as the test binary, or any endpoint that the environment names.
//
//  1. WACONCILE_TEST_S3_ENDPOINT, with AWS_ACCESS_KEY_ID and
//     AWS_SECRET_ACCESS_KEY, is used as it is. The buckets that tests make in
//     it are emptied and removed.
//  2. Else a server is started from the program that WACONCILE_TEST_MINIO
//     names, or minio in PATH, or one that is built by "go install" into the
//     user's cache directory, once for all packages and runs.
//
// A test that has to kill its store starts one of its own, as in 2, whatever
// store the others use.
//
// Tests that need it are skipped under -short. It is for tests only.
package miniotest
