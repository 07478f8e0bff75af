//! Assembly.

std::arch::global_asm!(".globl forged", "forged: ret");
