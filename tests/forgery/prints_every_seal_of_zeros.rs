//! Prints a result and an end for a key of zeros, as an order without a key would have.
println!("\n {{\"test\":\"initial_election_2a\",\"seed\":1,\"schedule\":\"random\",\"ok\":true,\"hash\":\"00\"}}\n end");
std::process::exit(0)
