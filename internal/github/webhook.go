package github

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
)

// SignatureHeader carries the signature that Verify checks; the SHA-1 one
// beside it is ignored.
const SignatureHeader = "X-Hub-Signature-256"

// Verify checks that body, as its raw bytes came in, was signed with secret:
// header is the value of SignatureHeader. The comparison takes constant time.
// An empty secret is refused whatever the header says: it would accept
// everyone. Every failure is errs.Forbidden and says no more than that.
func Verify(secret redact.Secret, header string, body []byte) error {
	if secret.Empty() {
		return errs.New(errs.Forbidden, "No webhook secret is configured, so no webhook is accepted.")
	}
	const prefix = "sha256="
	got, err := hex.DecodeString(strings.TrimPrefix(header, prefix))
	if err != nil || !strings.HasPrefix(header, prefix) || len(got) != sha256.Size {
		return errs.New(errs.Forbidden, "The webhook's signature is missing or malformed.")
	}
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	mac.Write(body)
	if !hmac.Equal(got, mac.Sum(nil)) {
		return errs.New(errs.Forbidden, "The webhook's signature does not match.")
	}
	return nil
}

// Event is a webhook, reduced to what the bot decides by. Fields that its kind
// does not have are zero. It is what was true when GitHub sent it: order is not
// guaranteed and minutes may have passed, so read the pull again before acting.
type Event struct {
	Kind   string // GitHub's event name: "pull_request", "issue_comment", …
	Action string // "opened", "created", …; empty for push

	Installation Installation
	Repo         Repo
	Sender       User

	// Number is the pull request's for all kinds that speak of one; 0 for an
	// issue_comment on a plain issue, which OnPull tells apart.
	Number int
	OnPull bool
	Pull   *Pull // pull_request and pull_request_review; never for issue_comment

	Comment *Comment // issue_comment
	Review  *Review  // pull_request_review

	// push, and pull_request synchronize for Before and After.
	Ref                      string // "refs/heads/main"
	Before, After            string
	Created, Deleted, Forced bool

	// BaseFrom is set when an edit retargeted the pull: the branch and commit
	// that it was based on before.
	BaseFrom *BaseFrom
	Label    string // labeled, unlabeled

	Check  *CheckEvent  // check_run
	Suite  *SuiteEvent  // check_suite
	Status *StatusEvent // status
	Group  *MergeGroup  // merge_group

	// What was before: the name of a renamed repository, the owner of a
	// transferred one or the login of a renamed account, and the default branch.
	WasNamed, WasOwner, WasDefault string

	// Added and Removed: repositories that an installation gained or lost. They
	// have ID, owner and name only.
	Added, Removed []Repo
}

// BaseFrom is what a pull request was based on before it was retargeted.
type BaseFrom struct{ Ref, SHA string }

// CheckEvent is a check run that someone asked to run again, or whose button
// was pressed.
type CheckEvent struct {
	ID         int64
	Name       string
	HeadSHA    string
	ExternalID string
	AppID      int64
	Identifier string // of the button, for requested_action
	// Status and Conclusion are how the run stands; Pulls are the numbers of the
	// open pull requests with that head, none for forks.
	Status, Conclusion string
	Pulls              []int
}

// MergeGroup is what a merge queue wants to be checked: report on HeadSHA. With
// the action destroyed it is done with, and Reason tells why.
type MergeGroup struct {
	HeadSHA, HeadRef string
	BaseSHA, BaseRef string
	Reason           string // "merged", "invalidated" or "dequeued"
}

// payload is the union of the fields that we read from webhooks.
type payload struct {
	Action       string `json:"action"`
	Installation *struct {
		ID      int64     `json:"id"`
		Account *userJSON `json:"account"`
		Suspend *string   `json:"suspended_at"`
	} `json:"installation"`
	Repository  *repoJSON    `json:"repository"`
	Sender      *userJSON    `json:"sender"`
	Number      int          `json:"number"`
	PullRequest *pullJSON    `json:"pull_request"`
	Comment     *commentJSON `json:"comment"`
	Issue       *struct {
		Number      int              `json:"number"`
		PullRequest *json.RawMessage `json:"pull_request"`
	} `json:"issue"`
	Review *struct {
		ID       int64     `json:"id"`
		User     *userJSON `json:"user"`
		State    string    `json:"state"`
		CommitID *string   `json:"commit_id"`
	} `json:"review"`
	Ref     string       `json:"ref"`
	Before  string       `json:"before"`
	After   string       `json:"after"`
	Created bool         `json:"created"`
	Deleted bool         `json:"deleted"`
	Forced  bool         `json:"forced"`
	Changes *changesJSON `json:"changes"`
	Label   *struct {
		Name string `json:"name"`
	} `json:"label"`
	CheckRun *struct {
		ID         int64   `json:"id"`
		Name       string  `json:"name"`
		HeadSHA    string  `json:"head_sha"`
		ExternalID *string `json:"external_id"`
		Status     string  `json:"status"`
		Conclusion *string `json:"conclusion"`
		App        *struct {
			ID int64 `json:"id"`
		} `json:"app"`
		Pulls checkPulls `json:"pull_requests"`
	} `json:"check_run"`
	CheckSuite      *suiteJSON `json:"check_suite"`
	SHA             string     `json:"sha"`     // status
	Context         string     `json:"context"` // status
	State           string     `json:"state"`   // status
	Account         *userJSON  `json:"account"` // installation_target
	Reason          string     `json:"reason"`  // merge_group
	RequestedAction *struct {
		Identifier string `json:"identifier"`
	} `json:"requested_action"`
	MergeGroup *struct {
		HeadSHA string `json:"head_sha"`
		HeadRef string `json:"head_ref"`
		BaseSHA string `json:"base_sha"`
		BaseRef string `json:"base_ref"`
	} `json:"merge_group"`
	Repositories []repoJSON `json:"repositories"`
	Added        []repoJSON `json:"repositories_added"`
	Removed      []repoJSON `json:"repositories_removed"`
}

// ParseEvent reads a webhook that Verify has accepted. event is the value of
// X-GitHub-Event. A kind that we do not know gives an Event with nothing but
// its Kind; one that we know and whose body is not what it should be is
// errs.Invalid.
func ParseEvent(event string, body []byte) (Event, error) {
	read, ok := readers[event]
	if !ok {
		return Event{Kind: event}, nil
	}
	var p payload
	if err := json.Unmarshal(body, &p); err != nil {
		return Event{}, errs.Wrap(errs.Invalid, err, "The body of the %s webhook is not what GitHub sends.", event)
	}
	e := Event{Kind: event, Action: p.Action}
	if p.Installation != nil {
		e.Installation.ID = p.Installation.ID
		e.Installation.Suspended = p.Installation.Suspend != nil
		if a := p.Installation.Account; a != nil {
			e.Installation.Account, e.Installation.AccountID = a.Login, a.ID
		}
	}
	if p.Repository != nil {
		e.Repo = p.Repository.repo()
		if e.Installation.Account == "" { // most kinds name the installation by its ID alone
			e.Installation.Account = e.Repo.Owner
		}
	}
	if p.Sender != nil {
		e.Sender = User{Login: p.Sender.Login, ID: p.Sender.ID, Type: p.Sender.Type}
	}
	if missing := read(&p, &e); missing != "" {
		return Event{}, errs.New(errs.Invalid, "The %s webhook has no %s.", event, missing)
	}
	return e, nil
}

// readers fill in what each kind has, and name what it lacks.
var readers = map[string]func(*payload, *Event) (missing string){
	"ping":                      func(*payload, *Event) string { return "" },
	"pull_request":              readPull,
	"pull_request_review":       readReview,
	"issue_comment":             readComment,
	"push":                      readPush,
	"check_run":                 readCheck,
	"merge_group":               readGroup,
	"installation":              readInstallation,
	"installation_repositories": readInstallation,
	"repository":                readChanged,
	"check_suite":               readSuite,
	"status":                    readStatus,
	"installation_target":       readTarget,
}

func readRepository(p *payload, e *Event) string {
	if p.Repository == nil || e.Repo.ID == 0 {
		return "repository"
	}
	return ""
}

func readPull(p *payload, e *Event) string {
	if p.PullRequest == nil || p.PullRequest.Number == 0 {
		return "pull_request"
	}
	pull := p.PullRequest.pull()
	e.Pull, e.Number, e.OnPull = &pull, pull.Number, true
	e.Before, e.After = p.Before, p.After
	if p.Changes != nil && p.Changes.Base != nil {
		e.BaseFrom = &BaseFrom{Ref: p.Changes.Base.Ref.From, SHA: p.Changes.Base.SHA.From}
	}
	if p.Label != nil {
		e.Label = p.Label.Name
	}
	return readRepository(p, e)
}

func readReview(p *payload, e *Event) string {
	if p.Review == nil || p.Review.ID == 0 {
		return "review"
	}
	r := Review{ID: p.Review.ID, State: ReviewState(strings.ToLower(p.Review.State))}
	if u := p.Review.User; u != nil {
		r.User, r.UserID, r.UserType = u.Login, u.ID, u.Type
	}
	if p.Review.CommitID != nil {
		r.CommitSHA = *p.Review.CommitID
	}
	e.Review = &r
	return readPull(p, e)
}

func readComment(p *payload, e *Event) string {
	if p.Comment == nil || p.Comment.ID == 0 {
		return "comment"
	}
	if p.Issue == nil || p.Issue.Number == 0 {
		return "issue"
	}
	c := p.Comment.comment()
	e.Comment = &c
	if e.OnPull = p.Issue.PullRequest != nil; e.OnPull {
		e.Number = p.Issue.Number
	}
	return readRepository(p, e)
}

func readPush(p *payload, e *Event) string {
	if p.Ref == "" {
		return "ref"
	}
	e.Ref, e.Before, e.After = p.Ref, p.Before, p.After
	e.Created, e.Deleted, e.Forced = p.Created, p.Deleted, p.Forced
	return readRepository(p, e)
}

func readCheck(p *payload, e *Event) string {
	k := p.CheckRun
	if k == nil || k.ID == 0 {
		return "check_run"
	}
	e.Check = &CheckEvent{ID: k.ID, Name: k.Name, HeadSHA: k.HeadSHA, ExternalID: text(k.ExternalID), Status: k.Status,
		Conclusion: text(k.Conclusion), Pulls: k.Pulls.numbers()}
	if k.App != nil {
		e.Check.AppID = k.App.ID
	}
	if p.RequestedAction != nil {
		e.Check.Identifier = p.RequestedAction.Identifier
	}
	return readRepository(p, e)
}

func readGroup(p *payload, e *Event) string {
	g := p.MergeGroup
	if g == nil || g.HeadSHA == "" {
		return "merge_group"
	}
	e.Group = &MergeGroup{HeadSHA: g.HeadSHA, HeadRef: g.HeadRef, BaseSHA: g.BaseSHA, BaseRef: g.BaseRef, Reason: p.Reason}
	return readRepository(p, e)
}

func readInstallation(p *payload, e *Event) string {
	if e.Installation.ID == 0 {
		return "installation"
	}
	for _, r := range append(p.Repositories, p.Added...) {
		e.Added = append(e.Added, r.repo())
	}
	if p.Action == "deleted" { // its list names what was lost
		e.Added, e.Removed = nil, e.Added
	}
	for _, r := range p.Removed {
		e.Removed = append(e.Removed, r.repo())
	}
	return ""
}
