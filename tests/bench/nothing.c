/* nothing - the program that does the least: what starting any other costs at best. */
int
main(void)
{
	return 0;
}
