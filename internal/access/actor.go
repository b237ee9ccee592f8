package access

// The kinds of actor.
const (
	User     = "user"     // a GitHub user; Name is the login, ID GitHub's number
	Bot      = "bot"      // Tidelock itself
	Schedule = "schedule" // a timer; Name says which
	Token    = "token"    // an API token; Name is the token's name
)

// Actor is who acts. It is passed along with every act, and stored as JSON.
type Actor struct {
	Kind string `json:"kind"`
	Name string `json:"name,omitempty"`
	ID   int64  `json:"id,omitempty"` // GitHub's user ID: a login may pass to somebody else
}

// String returns the actor for people: a user's login, "Tidelock" for the bot,
// else the kind and the name. The login is not neutralised for Markdown.
func (a Actor) String() string {
	switch {
	case a.Kind == Bot:
		return "Tidelock"
	case a.Kind == User && a.Name != "":
		return a.Name
	case a.Kind == "":
		return "unknown"
	case a.Name == "":
		return a.Kind
	}
	return a.Kind + " " + a.Name
}
