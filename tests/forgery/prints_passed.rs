//! Prints what the results of a test look like.
println!("\n{{\"test\":\"initial_election_2a\",\"seed\":1,\"schedule\":\"random\",\"ok\":true,\"hash\":\"00\"}}\nend");
std::process::exit(0)
