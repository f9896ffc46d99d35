/* placeholder: the owner of this room replaces this file */
int main(void);
int main(void)
{
	return 0;
}
