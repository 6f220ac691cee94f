//! nginx as a peer: TLS 1.3, files by sendfile's rules, PUT by its WebDAV module. It does not hash, seal or sync.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;

use anyhow::Result;

use super::{Kind, Server, Starting};
use crate::load::{Naming, Target};
use crate::process;
use crate::tls;

pub fn start(program: &Path, folder: &Path) -> Result<Server> {
    let pair = tls::write_pair(folder)?;
    // nginx cannot choose a port by itself. Somebody else could take this one first; then the start fails.
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let place = folder.display();
    let workers = std::thread::available_parallelism()?;
    let configuration = format!(
        "daemon off; worker_processes {workers}; pid {place}/nginx.pid; error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 10000000; client_max_body_size 0; client_body_buffer_size 128k;
  client_body_temp_path {place}/bodies; proxy_temp_path {place}/t1; fastcgi_temp_path {place}/t2; uwsgi_temp_path {place}/t3; scgi_temp_path {place}/t4;
  server {{
    listen {address} ssl reuseport;
    ssl_certificate {certificate}; ssl_certificate_key {private_key}; ssl_protocols TLSv1.3; ssl_session_tickets off;
    root {place}/files;
    location / {{ dav_methods PUT; create_full_put_path on; }}
  }}
}}
",
        certificate = pair.certificate.display(),
        private_key = pair.private_key.display(),
    );
    let file = folder.join("nginx.conf");
    std::fs::write(&file, configuration)?;
    std::fs::create_dir_all(folder.join("files"))?;
    let mut command = process::command(program, &folder.join("server.log"))?;
    command.arg("-p").arg(folder).arg("-c").arg(&file);
    if rustix::process::geteuid().is_root() {
        // Workers of root's nginx become another account, which cannot write here.
        command.args(["-g", "user root;"]);
    }
    let target = Target {
        address,
        tls: tls::client(&pair.certificate)?,
        api_key: None,
        naming: Naming::Path,
    };
    let mut starting = Starting::begin(Kind::Nginx, command)?;
    starting.wait(|| TcpStream::connect(address).is_ok())?;
    starting.finish(target)
}
