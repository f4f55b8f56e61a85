package cli

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
)

// readURI takes the server's place from
//
//	redis://[[user:]password@]host[:port][/db]
//
// or, for TLS, rediss:// with the same. What the URI does not tell stays as it is.
func (o *options) readURI(uri string) error {
	u, err := url.Parse(uri)
	if err != nil {
		return errors.New("Invalid URI: " + strings.TrimPrefix(err.Error(), "parse "))
	}
	switch u.Scheme {
	case "redis":
	case "rediss":
		o.tls.on = true
	default:
		return errors.New("Invalid URI scheme")
	}
	if u.User != nil {
		o.pass = u.User.Username()
		if pass, both := u.User.Password(); both {
			o.user, o.pass = u.User.Username(), pass
		}
	}
	if u.Hostname() != "" {
		o.host = u.Hostname()
	}
	if u.Port() != "" {
		if o.port, err = strconv.Atoi(u.Port()); err != nil {
			return errors.New("Invalid server port.")
		}
	}
	if db := strings.Trim(u.Path, "/"); db != "" {
		if o.db, err = strconv.Atoi(db); err != nil {
			return errors.New("Invalid database number in the URI")
		}
	}
	return nil
}
