package errs

import "net/http"

// statuses are the kinds' HTTP statuses.
var statuses = map[Kind]int{
	Invalid:     http.StatusBadRequest,
	NotFound:    http.StatusNotFound,
	Forbidden:   http.StatusForbidden,
	Conflict:    http.StatusConflict,
	Unavailable: http.StatusServiceUnavailable,
	TooLarge:    http.StatusRequestEntityTooLarge,
	Canceled:    http.StatusServiceUnavailable, // the server is going down
}

// HTTPStatus returns what an error of the kind is answered with over HTTP,
// where its protocol has no status of its own for it.
func (k Kind) HTTPStatus() int {
	if code, ok := statuses[k]; ok {
		return code
	}
	return http.StatusInternalServerError
}
