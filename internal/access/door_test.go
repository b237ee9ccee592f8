package access_test

import (
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db/dbtest"
)

// Strangers from very many addresses fill neither the trail nor what is counted,
// so that the refusal of a known token is recorded all the same.
func TestThreat_StrangersDoNotFloodTheTrail(t *testing.T) {
	d := dbtest.SQLite(t)
	trail := trailOfFive(t, d)
	now := time.Now()
	tokens := access.NewTokens(d, trail, func() time.Time { return now })
	_, cred, err := tokens.Create(t.Context(), access.NewToken{Client: "c1", Name: "n", Projects: []string{"**"}, Scopes: access.Scopes(), By: alice})
	if err != nil {
		t.Fatal(err)
	}
	door := access.NewDoor(tokens)
	count := func(subject string) (n int) {
		if err := d.QueryRowContext(t.Context(), `SELECT count(*) FROM events WHERE subject = $1`, subject).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for i := range 200 {
		r := httptest.NewRequest("GET", "/state/acme/x", nil)
		r.RemoteAddr = fmt.Sprintf("[2001:db8::%x]:1000", i)
		if err := door.Tell(r, access.Credential{}, 401, "strangers", "no such token"); err != nil {
			t.Fatal(err)
		}
	}
	if n := count("strangers"); n != 60 {
		t.Errorf("%d rows of strangers", n)
	}
	r := httptest.NewRequest("GET", "/state/acme/x", nil)
	r.RemoteAddr = "192.0.2.1:1000"
	if err := door.Tell(r, cred, 404, "beta", "another client's"); err != nil {
		t.Fatal(err)
	}
	if n := count("beta"); n != 1 {
		t.Errorf("%d rows of a known token", n)
	}
}
