package fetch

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// request asks an address for the bytes that are missing and appends them. Nil
// means that all of them came. After errBroken the same address is worth another
// try; after other errors it is not, for now.
func (d *download) request(ctx context.Context, url string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stalled := time.AfterFunc(d.opts.StallTimeout, func() { cancel(stalledError{d.opts.StallTimeout}) })
	defer stalled.Stop()

	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", "flowmatch")
	req.Header.Set("Accept-Encoding", "identity") // the bytes as they are, to count and to resume
	if d.have > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", d.have))
		if d.from == url && d.etag != "" {
			req.Header.Set("If-Range", d.etag)
		}
	}
	resp, err := d.client.Do(req)
	if err != nil {
		return reason(ctx, err)
	}
	defer resp.Body.Close()
	if err := d.accept(resp, url); err != nil {
		return err
	}
	return d.take(ctx, resp.Body, func() { stalled.Reset(d.opts.StallTimeout) })
}

// accept says by its header whether an answer can be the bytes asked for, and
// starts anew where it is the whole file.
func (d *download) accept(resp *http.Response, url string) error {
	tag := resp.Header.Get("ETag")
	if !strings.HasPrefix(tag, `"`) { // a weak one does not count for ranges
		tag = ""
	}
	begins := d.have
	switch resp.StatusCode {
	case http.StatusOK: // the whole: no ranges here, or the file has changed
		if webPage(resp.Header) {
			return errWebPage
		}
		begins = 0
	case http.StatusPartialContent:
		first, total, ok := contentRange(resp.Header.Get("Content-Range"))
		switch {
		case !ok || first != begins:
			return fmt.Errorf("it gave the range %q, not that from byte %d on", resp.Header.Get("Content-Range"), begins)
		case total >= 0 && total != d.want.Size:
			return lengthError{total, d.want.Size}
		case d.from == url && tag != d.etag: // in spite of If-Range
			if err := d.restart(); err != nil {
				return err
			}
			return errBroken
		}
	case http.StatusRequestedRangeNotSatisfiable:
		return lengthError{begins, d.want.Size} // it ends there
	default:
		return fmt.Errorf("status %s", resp.Status)
	}
	if n := resp.ContentLength; n >= 0 && begins+n != d.want.Size {
		return lengthError{begins + n, d.want.Size}
	}
	if begins == 0 && d.have > 0 {
		if err := d.restart(); err != nil {
			return err
		}
	}
	switch {
	case begins == 0:
		d.from = url
	case d.from != url:
		d.from = ""
	}
	d.etag = tag
	return nil
}

// take appends the body to the part, and no more than is missing.
func (d *download) take(ctx context.Context, body io.Reader, alive func()) error {
	buf := make([]byte, 64<<10)
	d.progress()
	for {
		n, err := body.Read(buf)
		if n > 0 {
			alive()
			if d.have == 0 && bytes.HasPrefix(bytes.TrimLeft(buf[:n], " \t\r\n\ufeff"), []byte("<")) {
				return errWebPage
			}
			if int64(n) > d.want.Size-d.have {
				if err := d.restart(); err != nil {
					return err
				}
				return lengthError{d.want.Size + 1, d.want.Size}
			}
			if _, err := d.part.WriteAt(buf[:n], d.have); err != nil {
				return onDisk("write", Partial(d.path), err)
			}
			d.have += int64(n)
			d.progress()
		}
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err == io.EOF && d.have == d.want.Size:
			return nil
		default: // an early end, or the network's trouble
			return errBroken
		}
	}
}

// webPage tells an error page, or a log-in page, that comes with status 200.
func webPage(h http.Header) bool {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && (kind == "text/html" || kind == "application/xhtml+xml")
}

// contentRange reads "bytes 5-9/10". A total of -1 is one that the server does not
// know, "*".
func contentRange(s string) (first, total int64, ok bool) {
	s, isBytes := strings.CutPrefix(s, "bytes ")
	span, whole, hasTotal := strings.Cut(s, "/")
	start, _, hasEnd := strings.Cut(span, "-")
	if !isBytes || !hasTotal || !hasEnd {
		return 0, 0, false
	}
	first, err := strconv.ParseInt(start, 10, 64)
	if err != nil || first < 0 {
		return 0, 0, false
	}
	if whole == "*" {
		return first, -1, true
	}
	total, err = strconv.ParseInt(whole, 10, 64)
	return first, total, err == nil && total >= 0
}
