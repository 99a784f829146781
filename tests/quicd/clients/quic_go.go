// SPDX-License-Identifier: GPL-3.0-or-later

// A QUIC client by quic-go.  It joins a stream with the socket that it was
// given, reads commands from the standard input, a line each, and answers each
// with a line; by_quic_go.py knows them.  A line "closed CODE REASON" says that
// the connection is over.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/qlog"
)

const patience = 60 * time.Second

var (
	address     = flag.String("address", "", "of the server")
	authority   = flag.String("ca", "", "file")
	name        = flag.String("name", "", "of the server")
	protocols   = flag.String("alpn", "smb", "names, with commas")
	certificate = flag.String("certificate", "", "file of the client's chain")
	key         = flag.String("key", "", "its key")
	packet      = flag.Uint("packet", 1280, "size of the first ones")
	descriptor  = flag.Uint("stream", 3, "a socket, joined with the stream")
)

func fail(err error) {
	if err != nil {
		report(err)
		os.Exit(0)
	}
}

// What Python's side parses.
func report(err error) {
	var application *quic.ApplicationError
	var transport *quic.TransportError
	var idle *quic.IdleTimeoutError
	switch {
	case errors.As(err, &application):
		fmt.Println("closed", uint64(application.ErrorCode), application.ErrorMessage)
	case errors.As(err, &transport):
		fmt.Println("closed", uint64(transport.ErrorCode), transport.ErrorMessage)
	case errors.As(err, &idle):
		fmt.Println("closed -1 idle")
	default:
		fmt.Println("closed -1", err)
	}
}

func configuration() *tls.Config {
	pem, err := os.ReadFile(*authority)
	fail(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	config := &tls.Config{
		RootCAs:    roots,
		ServerName: *name,
		NextProtos: strings.Split(*protocols, ","),
	}
	if *certificate != "" {
		pair, err := tls.LoadX509KeyPair(*certificate, *key)
		fail(err)
		config.Certificates = []tls.Certificate{pair}
	}
	return config
}

func transport(ip string) *quic.Transport {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(ip)})
	fail(err)
	return &quic.Transport{Conn: conn}
}

// From another address, after a probe of the path.
func move(connection *quic.Conn, ip string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	path, err := connection.AddPath(transport(ip))
	if err != nil {
		return err
	}
	if err = path.Probe(ctx); err != nil {
		return err
	}
	return path.Switch()
}

func join(stream *quic.Stream, local *net.UnixConn) {
	go io.Copy(stream, local)
	go func() {
		io.Copy(local, stream)
		local.CloseWrite()
	}()
}

func open(connection *quic.Conn) *quic.Stream {
	stream, err := connection.OpenStream()
	fail(err)
	file, err := net.FileConn(os.NewFile(uintptr(*descriptor), "stream"))
	fail(err)
	join(stream, file.(*net.UnixConn))
	return stream
}

func main() {
	flag.Parse()
	server, err := net.ResolveUDPAddr("udp4", *address)
	fail(err)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	connection, err := transport("127.0.0.1").Dial(ctx, server, configuration(),
		&quic.Config{
			Tracer:            qlog.DefaultConnectionTracer,
			InitialPacketSize: uint16(*packet),
		})
	cancel()
	fail(err)
	fmt.Println("connected", connection.ConnectionState().TLS.NegotiatedProtocol)
	go func() {
		<-connection.Context().Done()
		report(context.Cause(connection.Context()))
	}()

	stream := open(connection)
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		command, argument, _ := strings.Cut(input.Text(), " ")
		var err error
		switch command {
		case "end":
			err = stream.Close()
		case "reset":
			stream.CancelWrite(0)
		case "stop":
			stream.CancelRead(0)
		case "move":
			err = move(connection, argument)
		case "close":
			var code quic.ApplicationErrorCode
			fmt.Sscan(argument, &code)
			err = connection.CloseWithError(code, "bye")
		default:
			err = fmt.Errorf("unknown command: %s", command)
		}
		fmt.Println("done", err)
	}
}
