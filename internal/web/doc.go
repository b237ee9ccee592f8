// Package web serves the pages that show changes, runs, locks, history, costs, the
// audit trail and the queue, and the same as JSON under /api/v1.
//
// Promises:
//
//   - Nothing is shown to whoever may not see it. With a password every route
//     asks for it; without one every route answers this machine alone, and
//     not to a proxy on it, nor to a page of another site in a browser on it.
//   - Nothing is changed but states, in three ways: one that a run could not
//     write is pushed, a restore is asked for, and one is approved. Each takes a
//     token of the person's own beside or in place of the password, is no form
//     of another site, and stands in the audit trail, refused or done. Every
//     other route only reads.
//   - What others wrote (a title, a project's name, a plan, a log) stays text.
//     It is escaped, terminal codes are taken out, and characters that hide
//     or reorder text are made visible. The content security policy allows no
//     inline script or style and nothing from elsewhere.
//   - Pages work without JavaScript. The one small script renews what is shown
//     while work is under way.
//   - Pages and JSON are made of the same values (see view.go), so they cannot
//     tell different stories.
//
// It knows no sign-in and no role yet: whoever is let in sees every client.
// /healthz and /webhook belong to the server, not to this package.
package web
