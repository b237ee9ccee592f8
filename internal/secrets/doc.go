// Package secrets hands the server's secrets to the runs that may have them.
//
// A repository names a secret, the server's configuration says where its value
// is and which repositories may have it. Values are read when a run is about to
// begin, so that one which was changed holds from the next run on; none is
// kept. A value leaves this package as a redact.Secret only.
//
// It does not mask: who starts a run tells it which of its variables are
// secret, and nothing leaves the run with their values in it.
package secrets
