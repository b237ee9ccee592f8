package github

import "time"

// Repo is a repository as GitHub describes it. ID never changes; owner and
// name may.
type Repo struct {
	ID            int64
	Owner, Name   string
	DefaultBranch string
	CloneURL      string // https, without credentials
	HTMLURL       string
	Private       bool
	Archived      bool
}

// FullName returns "owner/name", for people: never a key.
func (r Repo) FullName() string { return r.Owner + "/" + r.Name }

// Pull is a pull request. From a webhook it may be minutes old: Client.Pull
// gives the present one.
type Pull struct {
	Number   int
	NodeID   string // GraphQL's name for it
	Title    string
	Author   string
	AuthorID int64

	HeadSHA, HeadRef string
	// BaseSHA is the tip of the base branch when GitHub last looked at the pull
	// (opened, pushed to, retargeted), not necessarily its tip now.
	BaseSHA, BaseRef string
	// HeadRepoID differs from BaseRepoID for a fork, and is 0 when the fork has
	// been deleted: compare the IDs, never names.
	HeadRepoID, BaseRepoID int64
	BaseOwner              string // the account that the repository belongs to now

	State  string // "open" or "closed"
	Merged bool
	// MergeSHA is the commit that the merge made, empty until then: what GitHub
	// reports earlier is a test commit that may never come to be.
	MergeSHA string
	Draft    bool
	Labels   []string

	Mergeable      *bool  // nil while GitHub is still computing it
	MergeableState string // clean, dirty, blocked, behind, unstable, unknown, …
	HTMLURL        string
	UpdatedAt      time.Time // of anything about the pull, comments included
}

// FromFork reports whether the pull's commits come from another repository
// than the one that it asks to be merged into.
func (p Pull) FromFork() bool { return p.HeadRepoID != p.BaseRepoID }

// User is an account as it acts in a webhook or writes a comment.
type User struct {
	Login string
	ID    int64
	Type  string // "User", "Bot" or "Organization"
}

// Comment is a comment in a pull request's (or issue's) conversation.
type Comment struct {
	ID                  int64
	NodeID              string
	Body                string
	Author              string
	AuthorID            int64
	AuthorType          string // "User" or "Bot"
	AppID               int64  // the App through which it was written, 0 for none
	HTMLURL             string
	CreatedAt, EditedAt time.Time
}

// Role is what a person may do in a repository; roles are ordered, so that
// role >= RoleWrite asks for write access.
type Role int

// GitHub's five roles, and none.
const (
	RoleNone Role = iota
	RoleRead
	RoleTriage
	RoleWrite
	RoleMaintain
	RoleAdmin
)

var roleNames = [...]string{"none", "read", "triage", "write", "maintain", "admin"}

// String returns GitHub's name for the role.
func (r Role) String() string {
	if r < RoleNone || r > RoleAdmin {
		return "none"
	}
	return roleNames[r]
}

// ParseRole returns the role of that name, and whether there is one.
func ParseRole(name string) (Role, bool) {
	for i, n := range roleNames {
		if n == name {
			return Role(i), true
		}
	}
	return RoleNone, false
}

// ReviewState is the outcome of a review, in lower case wherever it came from:
// webhooks write it so, REST shouts.
type ReviewState string

// The states a review can be in.
const (
	ReviewApproved         ReviewState = "approved"
	ReviewChangesRequested ReviewState = "changes_requested"
	ReviewCommented        ReviewState = "commented"
	ReviewDismissed        ReviewState = "dismissed"
	ReviewPending          ReviewState = "pending"
)

// Review is one review of a pull request.
type Review struct {
	ID        int64
	User      string
	UserID    int64
	UserType  string
	State     ReviewState
	CommitSHA string // what the reviewer saw; may be an older head
	At        time.Time
}

// Approval is what the reviews of a pull request amount to.
type Approval struct {
	// By are those whose latest decisive review approves the pull, whatever
	// commit they saw; Stale is the part of them who saw another commit than
	// the head that was asked about.
	By, Stale []Review
	// Against are those whose latest decisive review requests changes.
	Against []Review
}

// Check is a check run: one line in the pull's list of checks and one page
// behind it. Texts beyond GitHub's limits are cut, and say so.
type Check struct {
	Name       string
	HeadSHA    string
	Status     string // "queued", "in_progress" or "completed"
	Conclusion string // of a completed one: success, failure, neutral, cancelled, action_required, …
	DetailsURL string
	ExternalID string // ours; comes back in check_run webhooks

	Title, Summary, Text string // Markdown but for the title

	// Annotations append to those that the check has: send each once. More than
	// 50 cost one further request per 50.
	Annotations []Annotation
	Actions     []CheckAction // buttons, at most 3

	StartedAt, CompletedAt time.Time // zero: left to GitHub
}

// Annotation marks a line of a file in the pull's diff.
type Annotation struct {
	Path               string
	StartLine, EndLine int    // from 1
	Level              string // "notice", "warning" or "failure"
	Title, Message     string // plain text
	Details            string // more of it, folded away; may be empty
}

// CheckAction is a button on the check's page; pressing it sends a check_run
// webhook with the action requested_action.
type CheckAction struct {
	Label       string // at most 20 characters; longer ones are cut
	Description string // at most 40 characters; longer ones are cut
	Identifier  string // at most 20 characters; a longer one is refused
}

// Delivery is one attempt of GitHub's to hand us a webhook. A redelivery is
// another attempt, with an ID of its own and the same GUID.
type Delivery struct {
	ID             int64
	GUID           string
	DeliveredAt    time.Time
	Redelivery     bool
	Status         string // GitHub's words: "OK", "Invalid HTTP Response: 503", "timed out", …
	StatusCode     int    // what we answered; 0 when nothing came back
	Event, Action  string
	InstallationID int64
	RepositoryID   int64
}

// OK reports whether we acknowledged the delivery.
func (d Delivery) OK() bool { return d.StatusCode >= 200 && d.StatusCode < 300 }

// Installation is the App as some account has installed it.
type Installation struct {
	ID        int64
	Account   string // login of the user or organisation
	AccountID int64
	Suspended bool
}

// AppInfo is what GitHub knows of the App itself.
type AppInfo struct {
	ID          int64
	Slug        string // the bot writes as Slug + "[bot]"
	Name        string
	HTMLURL     string
	Permissions map[string]string // "contents": "read", …
	Events      []string          // subscribed webhooks
}
