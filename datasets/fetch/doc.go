// Package fetch brings a file whose length and SHA-256 are known from one of
// several addresses.
//
//  1. The bytes are gathered in a file beside the target, PATH.part. What is there
//     already, from a run that was stopped, is kept: the request asks for the rest
//     (Range).
//  2. A connection that breaks is taken up where it broke, at the same address, and
//     only if the file there is still the same one (If-Range with its ETag). One
//     that stalls, so gives no byte for a time, is left for the next address, which
//     goes on from the same byte.
//  3. What cannot be the file is turned down before its bytes are taken: another
//     length, a web page with status 200, a range that was not asked for, and a
//     redirect from https to http.
//  4. When all bytes are there they are read back from the disk and their SHA-256
//     is taken. If it is wrong and the bytes came from several addresses or from an
//     earlier run, it starts again with nothing; if they came from one, that
//     address is struck off.
//  5. Only then the file gets its name: fsync, rename, fsync of the folder.
//
// So under its own name the file is whole and right or not there, whatever a server
// says and whenever the program is stopped, and at most PATH.part remains.
//
// Two processes must not gather the same file at once: they take turns by [Lock].
package fetch
